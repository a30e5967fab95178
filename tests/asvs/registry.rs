//! What a chapter is made of.

/// Sentences, each with the function that holds it.
pub type Tests = &'static [(&'static str, fn())];

/// A chapter of the standard, or a list of rules beyond it.
pub struct Chapter {
    pub title: &'static str,
    pub rows: &'static [Row],
}

/// A requirement, and in which way it is met.
pub struct Row {
    pub id: &'static str,
    /// 1 to 3; none for a rule that is not the standard's.
    pub level: Option<u8>,
    /// What is required, in our words.
    pub text: &'static str,
    pub way: Way,
}

/// In which way a requirement is met, or why not.
pub enum Way {
    Tested(Tests),
    /// The section that says it, and what holds the section.
    Documented(&'static str, Tests),
    /// The section that says what to do, and what holds that which we ship for it.
    Operators(&'static str, Tests),
    /// What is missing.
    Open(&'static str),
    /// Why.
    NotApplicable(&'static str),
}

/// A requirement of the standard.
pub const fn requirement(id: &'static str, level: u8, text: &'static str) -> Requirement {
    Requirement { id, level: Some(level), text }
}

/// A rule that is not the standard's.
pub const fn rule(id: &'static str, text: &'static str) -> Requirement {
    Requirement { id, level: None, text }
}

/// A row that is still to be ended with the way in which it is met.
#[derive(Clone, Copy)]
pub struct Requirement {
    id: &'static str,
    level: Option<u8>,
    text: &'static str,
}

impl Requirement {
    pub const fn tested(self, tests: Tests) -> Row {
        self.met(Way::Tested(tests))
    }

    pub const fn documented(self, section: &'static str, tests: Tests) -> Row {
        self.met(Way::Documented(section, tests))
    }

    pub const fn operators(self, section: &'static str, tests: Tests) -> Row {
        self.met(Way::Operators(section, tests))
    }

    pub const fn open(self, missing: &'static str) -> Row {
        self.met(Way::Open(missing))
    }

    pub const fn not_applicable(self, reason: &'static str) -> Row {
        self.met(Way::NotApplicable(reason))
    }

    const fn met(self, way: Way) -> Row {
        Row { id: self.id, level: self.level, text: self.text, way }
    }
}

impl Way {
    /// As the table calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tested(_) => "tested",
            Self::Documented(..) => "documented",
            Self::Operators(..) => "operator's",
            Self::Open(_) => "open",
            Self::NotApplicable(_) => "not applicable",
        }
    }

    /// The section of a document that it names.
    pub fn section(&self) -> Option<&'static str> {
        match self {
            Self::Documented(section, _) | Self::Operators(section, _) => Some(section),
            _ => None,
        }
    }

    /// What holds it.
    pub fn tests(&self) -> Tests {
        match self {
            Self::Tested(tests) | Self::Documented(_, tests) | Self::Operators(_, tests) => tests,
            Self::Open(_) | Self::NotApplicable(_) => &[],
        }
    }
}

impl Row {
    /// The full name of one of its tests.
    pub fn name_of(&self, sentence: &str) -> String {
        format!("{} {sentence}", self.id)
    }
}

impl Chapter {
    /// Its tests under their full names.
    pub fn tests(&self) -> impl Iterator<Item = (String, fn())> {
        self.rows.iter().flat_map(|row| {
            row.way.tests().iter().map(|(sentence, test)| (row.name_of(sentence), *test))
        })
    }
}
