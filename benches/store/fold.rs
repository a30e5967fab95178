//! What those who ask notice of a fold.

pub fn measure(_number: usize) {}
