//! Lines, boxes and words on a light ground, which is drawn too: pages may be dark.

use benches::Result;
use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea as _},
    element::{Circle, PathElement, Rectangle, Text},
    style::{
        Color as _, IntoFont as _, IntoTextStyle as _, RGBColor,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// What everything is drawn on.
pub(super) const GROUND: RGBColor = RGBColor(255, 255, 255);
/// Words that matter.
pub(super) const INK: RGBColor = RGBColor(31, 35, 40);
/// Words that matter less.
pub(super) const PALE_INK: RGBColor = RGBColor(101, 109, 118);
/// Lines that only guide the eye.
pub(super) const FAINT: RGBColor = RGBColor(225, 228, 232);
/// This crate.
pub(super) const OURS: RGBColor = RGBColor(9, 105, 218);
/// All others, where they need not be told apart.
pub(super) const OTHERS: RGBColor = RGBColor(175, 184, 193);

/// plotters takes a font's size for its line height, and writes this part of it.
const LINE_HEIGHT: f64 = 1.24;

/// Which end of the words stands at the place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making. Places are pixels from the upper left.
pub(super) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

impl Canvas<'_> {
    /// The text of an SVG of this size.
    pub(super) fn svg(
        size: (u32, u32),
        draw: impl FnOnce(&Canvas<'_>) -> Result<()>,
    ) -> Result<String> {
        let mut svg = String::new();
        {
            let canvas = Canvas(SVGBackend::with_string(&mut svg, size).into_drawing_area());
            canvas.0.fill(&GROUND)?;
            draw(&canvas)?;
            canvas.0.present()?;
        }
        Ok(svg)
    }

    pub(super) fn text(
        &self,
        at: (i32, i32),
        text: &str,
        size: f64,
        color: RGBColor,
        anchor: Anchor,
    ) -> Result<()> {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = ("sans-serif", size * LINE_HEIGHT).into_font();
        let style = font.color(&color).into_text_style(&self.0);
        let style = style.pos(Pos::new(horizontal, VPos::Center));
        self.0.draw(&Text::new(text.to_owned(), at, style))?;
        Ok(())
    }

    /// A filled box between two corners.
    pub(super) fn fill(&self, one: (i32, i32), other: (i32, i32), color: RGBColor) -> Result<()> {
        self.0.draw(&Rectangle::new([one, other], color.filled()))?;
        Ok(())
    }

    pub(super) fn line(&self, points: Vec<(i32, i32)>, width: u32, color: RGBColor) -> Result<()> {
        self.0.draw(&PathElement::new(points, color.stroke_width(width)))?;
        Ok(())
    }

    pub(super) fn dot(&self, at: (i32, i32), radius: i32, color: RGBColor) -> Result<()> {
        self.0.draw(&Circle::new(at, radius, color.filled()))?;
        Ok(())
    }
}
