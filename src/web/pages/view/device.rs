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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name_and_not_by_those_it_claims_too() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
        let linux = "Mozilla/5.0 (X11; Linux x86_64)";
        let android = "Mozilla/5.0 (Linux; Android 10; K)";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)";
        let ipad = "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X)";
        let chrome = "Chrome/138.0.0.0";
        for (agent, expected) in [
            (format!("{windows} {webkit} {chrome} Safari/537.36"), "Chrome on Windows"),
            (format!("{mac} {webkit} {chrome} Safari/537.36"), "Chrome on macOS"),
            (format!("{linux} {webkit} {chrome} Safari/537.36"), "Chrome on Linux"),
            (format!("{linux} {webkit} Headless{chrome} Safari/537.36"), "Chrome on Linux"),
            (format!("{android} {webkit} {chrome} Mobile Safari/537.36"), "Chrome on Android"),
            (
                format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} {chrome} Safari/537.36"),
                "Chrome on ChromeOS",
            ),
            (
                format!("{iphone} {apple} CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1"),
                "Chrome on iPhone",
            ),
            (format!("{windows} {webkit} {chrome} Safari/537.36 Edg/138.0.0.0"), "Edge on Windows"),
            (
                format!("{android} {webkit} {chrome} Mobile Safari/537.36 EdgA/138.0.0.0"),
                "Edge on Android",
            ),
            (
                format!("{iphone} {apple} Version/18.0 EdgiOS/138.0.3351.65 Mobile/15E148 Safari/605.1.15"),
                "Edge on iPhone",
            ),
            (
                format!("{windows} {webkit} Chrome/70.0.3538.102 Safari/537.36 Edge/18.19045"),
                "Edge on Windows",
            ),
            (format!("{mac} {webkit} {chrome} Safari/537.36 OPR/120.0.0.0"), "Opera on macOS"),
            (
                "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18".to_owned(),
                "Opera on Windows",
            ),
            (
                format!("{android} {webkit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"),
                "Samsung Internet on Android",
            ),
            (
                format!("{linux} {webkit} {chrome} Safari/537.36 Vivaldi/7.5.3735.44"),
                "Vivaldi on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
                    .to_owned(),
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0".to_owned(),
                "Firefox on Android",
            ),
            (
                format!("{iphone} {apple} FxiOS/140.0 Mobile/15E148 Safari/605.1.15"),
                "Firefox on iPhone",
            ),
            (
                format!("{iphone} {apple} Version/18.5 Mobile/15E148 Safari/604.1"),
                "Safari on iPhone",
            ),
            (format!("{ipad} {apple} Version/18.5 Mobile/15E148 Safari/604.1"), "Safari on iPad"),
            (format!("{mac} {apple} Version/18.5 Safari/605.1.15"), "Safari on macOS"),
            (
                "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; GT-I9100) AppleWebKit/534.30 (KHTML, \
                 like Gecko) Version/4.0 Mobile Safari/534.30"
                    .to_owned(),
                "Android browser",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(),
                "Internet Explorer on Windows",
            ),
        ] {
            assert_eq!(device(Some(&agent)), expected, "{agent}");
        }
    }

    #[test]
    fn a_program_is_called_as_it_calls_itself() {
        for (agent, expected) in [
            ("curl/8.14.1", "curl"),
            ("Wget/1.25.0", "Wget"),
            ("PostmanRuntime/7.44.1", "Postman"),
            ("python-requests/2.32.4", "python-requests"),
            ("Go-http-client/1.1", "Go-http-client"),
        ] {
            assert_eq!(device(Some(agent)), expected);
        }
    }

    #[test]
    fn what_tells_little_is_not_guessed() {
        assert_eq!(device(None), "Unknown device");
        let long = format!("{}/1", "a".repeat(33));
        for agent in
            ["", "curl", "/", "<b>/1", "my client/1", "1/2", "Mozilla/5.0", "\u{e4}/1", &long]
        {
            assert_eq!(device(Some(agent)), "Unknown device", "{agent}");
        }
        let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
        assert_eq!(device(Some(agent)), "Unknown browser on Linux");
        assert_eq!(device(Some("Mozilla/5.0 Firefox/140.0")), "Firefox");
    }
}
