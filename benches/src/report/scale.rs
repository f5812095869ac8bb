//! From figures to pixels, and which figures stand beside an axis.

/// How figures lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// By their size.
    FromZero,
    /// By their ratio.
    Logarithmic,
}

/// A part of a scale, and the pixels that it takes.
#[derive(Debug)]
pub(super) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    pixels: (i32, i32),
}

impl Axis {
    /// Over all of these figures, to round ones.
    pub(super) fn over(
        figures: impl IntoIterator<Item = f64>,
        scale: Scale,
        pixels: (i32, i32),
    ) -> Self {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for figure in figures {
            (least, most) = (least.min(figure), most.max(figure));
        }
        let (from, to) = match scale {
            Scale::FromZero => (0.0, (most / step(most)).ceil() * step(most)),
            Scale::Logarithmic => (round_below(least), round_above(most)),
        };
        Self { scale, from, to, pixels }
    }

    /// From one figure to the other, by their ratio.
    pub(super) fn between(from: f64, to: f64, pixels: (i32, i32)) -> Self {
        Self { scale: Scale::Logarithmic, from, to, pixels }
    }

    pub(super) fn at(&self, figure: f64) -> i32 {
        let part = match self.scale {
            Scale::FromZero => figure / self.to,
            Scale::Logarithmic => (figure / self.from).ln() / (self.to / self.from).ln(),
        };
        let (first, last) = self.pixels;
        first + (part * f64::from(last - first)).round() as i32
    }

    /// Figures for people to hold on to.
    pub(super) fn marks(&self) -> Vec<f64> {
        match self.scale {
            Scale::FromZero => {
                let step = step(self.to);
                (0..=(self.to / step).round() as u32).map(|count| f64::from(count) * step).collect()
            }
            Scale::Logarithmic => {
                let decades = self.from.log10().floor() as i32..=self.to.log10().ceil() as i32;
                let round = decades.flat_map(|decade| {
                    let unit = 10f64.powi(decade);
                    [unit, 2.0 * unit, 5.0 * unit]
                });
                // Division has its own idea of 0.1.
                let (from, to) = (self.from * 0.999, self.to * 1.001);
                round.filter(|mark| (from..=to).contains(mark)).collect()
            }
        }
    }
}

/// Between marks, so that about five of them are below `most`.
fn step(most: f64) -> f64 {
    let raw = most / 5.0;
    let unit = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|times| times * unit)
        .into_iter()
        .find(|step| *step >= raw)
        .unwrap_or(raw)
}

fn round_below(figure: f64) -> f64 {
    let unit = 10f64.powf(figure.log10().floor());
    [5.0, 2.0].map(|times| times * unit).into_iter().find(|round| *round <= figure).unwrap_or(unit)
}

fn round_above(figure: f64) -> f64 {
    let unit = 10f64.powf(figure.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|times| times * unit)
        .into_iter()
        .find(|round| *round >= figure)
        .unwrap_or(10.0 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_from_zero_ends_at_a_round_figure() {
        let axis = Axis::over([87_000.0, 12_000.0], Scale::FromZero, (0, 100));
        assert_eq!(axis.marks(), [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0, 100_000.0]);
        assert_eq!([axis.at(0.0), axis.at(50_000.0), axis.at(100_000.0)], [0, 50, 100]);
    }

    #[test]
    fn a_logarithmic_axis_holds_all_figures() {
        let axis = Axis::over([130.0, 8_000.0], Scale::Logarithmic, (100, 0));
        assert_eq!(axis.marks(), [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0]);
        assert_eq!([axis.at(100.0), axis.at(1000.0), axis.at(10_000.0)], [100, 50, 0]);
    }
}
