//! Medians, percentiles and ratios.

/// The median of some figures.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    percentile(figures, 50)
}

/// The figure below which so many of a hundred are.
pub fn percentile(figures: impl IntoIterator<Item = f64>, of_hundred: usize) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() * of_hundred / 100]
}

/// The median of the ratios of figures to others that were taken in the same rounds.
pub fn ratio(figures: impl IntoIterator<Item = f64>, others: impl IntoIterator<Item = f64>) -> f64 {
    median(figures.into_iter().zip(others).map(|(figure, other)| figure / other))
}

/// A count or a number of bytes as a figure.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn figure(number: usize) -> f64 {
    number as f64
}

/// Bytes in MiB.
pub fn mebibytes(bytes: usize) -> f64 {
    figure(bytes) / 1024.0 / 1024.0
}
