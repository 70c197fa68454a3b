//! Curves as pictures: the cost of an op over the ops of the history, both on scales of powers of ten, in whole numbers.

use core::fmt::Write as _;

use crate::measure::Point;

const WIDTH: u64 = 720;
const HEIGHT: u64 = 420;
const LEFT: u64 = 72;
const TOP: u64 = 48;
const RIGHT: u64 = 560;
const BOTTOM: u64 = 364;
/// Strokes that tell apart in print, and by those who see few colours.
const STROKES: [(&str, &str); 5] = [
    ("#0072b2", "none"),
    ("#d55e00", "8 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "12 3 2 3"),
    ("#000000", "5 5"),
];

/// A curve and its name.
pub type Curve<'a> = (&'a str, &'a [Point]);

/// The powers of ten between which all values lie: the exponents of the lower and of the upper.
fn decades(values: impl Iterator<Item = u64> + Clone) -> (u32, u32) {
    let least = values.clone().min().unwrap_or(1).max(1).ilog10();
    let most = values.max().unwrap_or(1).max(1);
    let upper = most.ilog10() + u32::from(most != 10_u64.pow(most.ilog10()));
    (least, upper.max(least + 1))
}

/// Thousandths of the way from 10^`low` to 10^`high` at which the value lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a picture, between 0 and 1000"
)]
fn way(value: u64, (low, high): (u32, u32)) -> u64 {
    let place = ((value.max(1) as f64).log10() - f64::from(low)) / f64::from(high - low);
    (place * 1_000.0).round().clamp(0.0, 1_000.0) as u64
}

/// The picture, or `None` where no curve has a point.
#[must_use]
pub fn draw(title: &str, curves: &[Curve<'_>]) -> Option<String> {
    let points = || curves.iter().flat_map(|(_, points)| points.iter());
    points().next()?;
    let across = decades(points().map(|it| it.ops));
    let up = decades(points().map(|it| it.ps_per_op));
    let x = |ops| LEFT + (RIGHT - LEFT) * way(ops, across) / 1_000;
    let y = |ps| BOTTOM - (BOTTOM - TOP) * way(ps, up) / 1_000;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{title}</text>\n"
    );
    // Writing into a string cannot fail.
    for power in across.0..=across.1 {
        let at = x(10_u64.pow(power));
        let _ = write!(
            svg,
            "<path d=\"M{at} {TOP}V{BOTTOM}\" stroke=\"#dddddd\"/>\n<text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">10<tspan dy=\"-5\" \
             font-size=\"10\">{power}</tspan></text>\n",
            BOTTOM + 20
        );
    }
    for power in up.0..=up.1 {
        let at = y(10_u64.pow(power));
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {at}H{RIGHT}\" stroke=\"#dddddd\"/>\n<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 8,
            at + 4,
            power_of_ten_us(power)
        );
    }
    for (number, (name, points)) in curves.iter().enumerate() {
        let (colour, dashes) = STROKES[number % STROKES.len()];
        let stroke =
            format!("stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
        let corners = points
            .iter()
            .map(|it| format!("{},{}", x(it.ops), y(it.ps_per_op)));
        let corners: Vec<String> = corners.collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" {stroke}/>",
            corners.join(" ")
        );
        for point in *points {
            let (x, y) = (x(point.ops), y(point.ps_per_op));
            let _ = writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
        let at = TOP + 20 * (number as u64 + 1);
        let _ = write!(
            svg,
            "<path d=\"M{} {at}h28\" {stroke}/>\n<text x=\"{}\" y=\"{}\">{name}</text>\n",
            RIGHT + 16,
            RIGHT + 52,
            at + 4
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">ops of the history</text>\n\
         <text x=\"18\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {})\">processor time for an op</text>\n</svg>\n",
        LEFT.midpoint(RIGHT),
        BOTTOM + 44,
        TOP.midpoint(BOTTOM),
        TOP.midpoint(BOTTOM)
    );
    Some(svg)
}

/// 10^`power` picoseconds in the unit in which it is a short number.
fn power_of_ten_us(power: u32) -> String {
    const UNITS: [&str; 5] = ["ps", "ns", "us", "ms", "s"];
    let unit = usize::try_from(power / 3)
        .unwrap_or_default()
        .min(UNITS.len() - 1);
    let left = power - 3 * u32::try_from(unit).unwrap_or_default();
    format!("{} {}", 10_u64.pow(left), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_every_point_within_its_frame_and_whole_numbers() {
        let point = |ops, ps_per_op| Point { ops, ps_per_op };
        let flat = [point(1_000, 3_000_000), point(1_000_000, 4_000_000)];
        let steep = [point(1_000, 10_000_000), point(20_000, 100_000_000)];
        let svg = draw(
            "replay",
            &[("chain", &flat), ("policy", &steep), ("none", &[])],
        )
        .unwrap();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(svg.matches("<polyline").count(), 3);
        for (_, rest) in svg
            .match_indices("cx=\"")
            .map(|(at, it)| svg.split_at(at + it.len()))
        {
            let x: u64 = rest.split('"').next().unwrap().parse().unwrap();
            assert!((LEFT..=RIGHT).contains(&x), "{x}");
        }
        assert!(svg.contains(">1 us<") && svg.contains(">100 us<"), "{svg}");
        assert_eq!(draw("nothing", &[("chain", &[])]), None);
    }
}
