//! Pages for people: logging in, one's own account, administration.

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "what shows these comes next"))]
mod view;
