//! What is in a section of a document.

/// The cells of the lines of its tables, without the heads.
pub fn rows(section: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = section.lines().collect();
    let is_rule = |line: &&str| line.starts_with("|--");
    let is_row = |at: &usize| {
        let is_head = lines.get(at + 1).is_some_and(is_rule);
        lines[*at].starts_with('|') && !is_rule(&lines[*at]) && !is_head
    };
    let cells = |at: usize| {
        let line = lines[at].trim_matches('|');
        line.split('|').map(str::trim).collect()
    };
    (0..lines.len()).filter(is_row).map(cells).collect()
}

/// What it writes as code, in order.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
