//! Bars that lie, one below the other.

use super::canvas::{Anchor, Canvas, INK, OTHERS, OURS, PALE_INK};
use crate::results::Spread;
use benches::Result;

/// A bar, with its name before it and its figure behind it.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) rate: Spread,
    pub(super) figure: String,
    pub(super) ours: bool,
}

const WIDTH: i32 = 860;
/// Where bars begin, and where the longest may end, whisker included.
const BARS: (i32, i32) = (256, 680);
const TOP: i32 = 84;
const PITCH: i32 = 30;
const HALF: i32 = 10;
const WHISKER: i32 = 4;

/// An SVG of them.
pub(super) fn draw(title: &str, below: &str, bars: &[Bar]) -> Result<String> {
    let height = TOP + PITCH * bars.len() as i32 + 8;
    let most = bars.iter().map(|bar| bar.rate.max).fold(0.0, f64::max);
    let end_of = |rate: f64| BARS.0 + (rate / most * f64::from(BARS.1 - BARS.0)).round() as i32;
    Canvas::svg((WIDTH as u32, height as u32), |canvas| {
        canvas.text((24, 28), title, 18.0, INK, Anchor::Start)?;
        canvas.text((24, 52), below, 12.0, PALE_INK, Anchor::Start)?;
        for (bar, place) in bars.iter().zip(0..) {
            let middle = TOP + PITCH * place + HALF;
            let (color, ink) = if bar.ours { (OURS, INK) } else { (OTHERS, PALE_INK) };
            canvas.text((BARS.0 - 10, middle), &bar.name, 14.0, ink, Anchor::End)?;
            let [low, median, high] = [bar.rate.min, bar.rate.median, bar.rate.max].map(end_of);
            canvas.fill((BARS.0, middle - HALF), (median.max(BARS.0 + 1), middle + HALF), color)?;
            canvas.line(vec![(low, middle), (high, middle)], 1, INK)?;
            for end in [low, high] {
                canvas.line(vec![(end, middle - WHISKER), (end, middle + WHISKER)], 1, INK)?;
            }
            canvas.text((high + 8, middle), &bar.figure, 14.0, ink, Anchor::Start)?;
        }
        canvas.line(vec![(BARS.0, TOP - 6), (BARS.0, height - 10)], 1, INK)
    })
}
