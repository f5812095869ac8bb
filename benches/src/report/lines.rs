//! Lines over something that grows, each with its name at its end.

use super::{
    canvas::{Anchor, Canvas, FAINT, INK, OURS, PALE_INK},
    numbers,
    scale::{Axis, Scale},
};
use crate::results::Spread;
use benches::Result;
use plotters::style::RGBColor;

/// A line, and its name.
pub(super) struct Line {
    pub(super) name: String,
    /// From left to right.
    pub(super) points: Vec<(f64, Spread)>,
    pub(super) ours: bool,
}

const SIZE: (u32, u32) = (860, 540);
/// Left and right, and bottom and top, of where lines are.
const ACROSS: (i32, i32) = (96, 600);
const UP: (i32, i32) = (484, 84);
/// Between names, at least.
const PITCH: i32 = 17;

/// So that neighbours can be told apart.
const OTHERS: [RGBColor; 8] = [
    RGBColor(188, 76, 0),
    RGBColor(130, 80, 223),
    RGBColor(26, 127, 55),
    RGBColor(191, 57, 137),
    RGBColor(154, 103, 0),
    RGBColor(207, 34, 46),
    RGBColor(27, 124, 131),
    RGBColor(87, 96, 106),
];

/// An SVG of them. What grows is always shown by its ratio.
pub(super) fn draw(
    title: &str,
    below: &str,
    axis: &str,
    scale: Scale,
    lines: &[Line],
) -> Result<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let mut places: Vec<_> = points().map(|(place, _)| *place).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return Err(format!("there is nothing to draw for `{title}`").into());
    };
    let across = Axis::between(first, last, ACROSS);
    let up = Axis::over(points().flat_map(|(_, rate)| [rate.min, rate.max]), scale, UP);
    Canvas::svg(SIZE, |canvas| {
        canvas.text((24, 28), title, 18.0, INK, Anchor::Start)?;
        canvas.text((24, 52), below, 12.0, PALE_INK, Anchor::Start)?;
        for mark in up.marks() {
            let at = up.at(mark);
            canvas.line(vec![(ACROSS.0, at), (ACROSS.1, at)], 1, FAINT)?;
            canvas.text((ACROSS.0 - 10, at), &numbers::rate(mark), 12.0, PALE_INK, Anchor::End)?;
        }
        for &place in &places {
            let (at, text) = (across.at(place), numbers::count(place));
            canvas.line(vec![(at, UP.0), (at, UP.0 + 5)], 1, PALE_INK)?;
            canvas.text((at, UP.0 + 16), &text, 12.0, PALE_INK, Anchor::Middle)?;
        }
        canvas.line(vec![(ACROSS.0, UP.0), (ACROSS.1, UP.0)], 1, PALE_INK)?;
        let middle = (ACROSS.0 + ACROSS.1) / 2;
        canvas.text((middle, UP.0 + 38), axis, 12.0, PALE_INK, Anchor::Middle)?;
        let colors = colors(lines);
        // This crate's last, so that they lie on top.
        for ours in [false, true] {
            for (line, &color) in lines.iter().zip(&colors).filter(|(line, _)| line.ours == ours) {
                draw_line(canvas, line, color, |(place, rate)| (across.at(place), up.at(rate)))?;
            }
        }
        let ends = lines.iter().zip(&colors).filter_map(|(line, color)| {
            let (_, rate) = line.points.last()?;
            Some((up.at(rate.median), line.name.as_str(), *color))
        });
        for (at, name, color) in apart(ends.collect()) {
            canvas.text((ACROSS.1 + 14, at), name, 13.0, color, Anchor::Start)?;
        }
        Ok(())
    })
}

fn draw_line(
    canvas: &Canvas<'_>,
    line: &Line,
    color: RGBColor,
    pixel: impl Fn((f64, f64)) -> (i32, i32),
) -> Result<()> {
    for (place, rate) in &line.points {
        let whisker = [rate.min, rate.max].map(|rate| pixel((*place, rate)));
        canvas.line(whisker.to_vec(), 1, color)?;
        canvas.dot(pixel((*place, rate.median)), 3, color)?;
    }
    let points = line.points.iter().map(|(place, rate)| pixel((*place, rate.median)));
    canvas.line(points.collect(), if line.ours { 3 } else { 2 }, color)
}

/// This crate's in one colour, in several shades if there are several.
fn colors(lines: &[Line]) -> Vec<RGBColor> {
    let (mut ours, mut others) = (0, 0);
    let mut color = |line: &Line| {
        if line.ours {
            ours += 1;
            return shade(OURS, ours - 1);
        }
        others += 1;
        OTHERS[(others - 1) % OTHERS.len()]
    };
    lines.iter().map(&mut color).collect()
}

fn shade(RGBColor(red, green, blue): RGBColor, step: u32) -> RGBColor {
    let part = 0.72f64.powi(step.min(4) as i32);
    let darker = |value: u8| (f64::from(value) * part) as u8;
    RGBColor(darker(red), darker(green), darker(blue))
}

/// Moves names that would lie on each other, as little as need be, in their order.
fn apart<T>(mut names: Vec<(i32, &str, T)>) -> Vec<(i32, &str, T)> {
    names.sort_by_key(|(at, ..)| *at);
    let mut free = i32::MIN;
    for (at, ..) in &mut names {
        *at = (*at).max(free);
        free = *at + PITCH;
    }
    // Those that were pushed out below go back up.
    let mut free = UP.0;
    for (at, ..) in names.iter_mut().rev() {
        *at = (*at).min(free);
        free = *at - PITCH;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lie_on_each_other() {
        let names = vec![(480, "c", ()), (470, "b", ()), (100, "a", ()), (483, "d", ())];
        let placed = apart(names);
        assert_eq!(placed.iter().map(|(_, name, ())| *name).collect::<String>(), "abcd");
        assert_eq!(placed[0].0, 100);
        assert!(placed.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PITCH), "{placed:?}");
        assert!(placed.iter().all(|(at, ..)| *at <= UP.0), "{placed:?}");
    }
}
