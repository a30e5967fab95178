/// What a browser is known by, and its name. Most say that they are others too, so the first that
/// is found counts.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("OPT/", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("GSA/", "Google app"),
    ("SeaMonkey/", "SeaMonkey"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Android", "Android browser"),
    ("Safari/", "Safari"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
];

/// What a system is known by, and its name; the first that is found counts.
const SYSTEMS: &[(&str, &str)] = &[
    ("Windows Phone", "Windows Phone"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// What a device says of itself, in words: "Firefox on Windows", "curl".
pub fn device(user_agent: Option<&str>) -> String {
    let text = user_agent.unwrap_or_default();
    if !text.starts_with("Mozilla/") && !text.starts_with("Opera/") {
        return program(text).unwrap_or("Unknown device").to_owned();
    }
    match (found(BROWSERS, text), found(SYSTEMS, text)) {
        (Some(browser @ "Android browser"), _) | (Some(browser), None) => browser.to_owned(),
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (None, Some(system)) => format!("Unknown browser on {system}"),
        (None, None) => "Unknown device".to_owned(),
    }
}

fn found(known: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    known.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
}

/// The name of a program that is no browser: what stands before its version, if it can be a name.
fn program(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('/')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 32
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    match name {
        "PostmanRuntime" => Some("Postman"),
        _ => is_name.then_some(name),
    }
}
