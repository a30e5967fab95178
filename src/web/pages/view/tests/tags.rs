//! The tags of a page.

/// A tag that begins an element.
#[derive(Debug)]
pub struct Tag<'p> {
    /// The name of the element.
    pub name: &'p str,
    /// Names and values of the attributes.
    pub attributes: Vec<(&'p str, &'p str)>,
    /// What stands behind, up to the next tag.
    pub text: &'p str,
}

impl<'p> Tag<'p> {
    pub fn get(&self, name: &str) -> Option<&'p str> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name)
    }
}

/// All tags of a page, in which values stand between quotes and have no `<` and `>` in them.
pub fn tags(page: &str) -> Vec<Tag<'_>> {
    let begun = page.split('<').skip(1).filter(|rest| !rest.starts_with(['/', '!']));
    let tag = |rest| {
        let (inside, text): (&str, &str) = str::split_once(rest, '>').unwrap();
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            let (attribute, behind) = rest.split_at(end);
            let quoted = behind.strip_prefix("=\"").map(|it| it.split_once('"').unwrap());
            let (value, behind) = quoted.unwrap_or(("", behind));
            attributes.push((attribute, value));
            rest = behind.trim_start();
        }
        Tag { name, attributes, text }
    };
    begun.map(tag).collect()
}

/// The forms of a page: method, address and the names of what is sent.
pub fn forms(page: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for tag in tags(page) {
        let last = forms.last_mut();
        match (tag.name, tag.get("name"), last) {
            ("form", ..) => {
                let (method, action) = (tag.get("method").unwrap(), tag.get("action").unwrap());
                forms.push(format!("{method} {action}"));
            }
            ("input" | "select", Some(name), Some(form)) => {
                form.push(' ');
                form.push_str(name);
            }
            _ => {}
        }
    }
    // That of the button to log out, which is in the header.
    forms.into_iter().filter(|form| form != "post /logout").collect()
}
