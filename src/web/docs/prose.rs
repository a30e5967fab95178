//! Texts of the document: plain ones, with code between backticks.

/// A piece of a text.
pub struct Span {
    /// Whether it is code.
    pub is_code: bool,
    /// What it says.
    pub text: String,
}

/// A text in pieces.
pub type Prose = Vec<Span>;

/// A text in one paragraph.
pub fn line(text: &str) -> Prose {
    let pieces = text.split('`').enumerate();
    let pieces =
        pieces.map(|(at, text)| Span { is_code: at % 2 == 1, text: text.replace('\n', " ") });
    pieces.filter(|span| !span.text.is_empty()).collect()
}

/// A text whose paragraphs are apart by an empty line.
pub fn paragraphs(text: &str) -> Vec<Prose> {
    text.split("\n\n").map(line).collect()
}
