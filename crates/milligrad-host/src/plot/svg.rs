//! The few elements of SVG that charts are made of.

use std::fmt::Write as _;

pub(super) const BLACK: &str = "#222";
pub(super) const GREY: &str = "#ddd";
/// Okabe and Ito's colours, which colour-blind people can tell apart.
pub(super) const COLOURS: [&str; 6] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

/// A picture being drawn.
#[derive(Debug)]
pub(super) struct Svg(String);

type Point = (f64, f64);

impl Svg {
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            escaped(title)
        ))
    }

    pub(super) fn line(&mut self, (x1, y1): Point, (x2, y2): Point, colour: &str) {
        let width = if COLOURS.contains(&colour) { 2 } else { 1 };
        let _ = writeln!(
            self.0,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        );
    }

    pub(super) fn polyline(&mut self, points: impl Iterator<Item = Point>, colour: &str, dashed: bool) {
        let mut points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        if let [point] = &points[..] {
            // A line without length has round ends: a dot.
            points.push(point.clone());
        }
        let dashes = if dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let _ = writeln!(
            self.0,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"{dashes}/>",
            points.join(" ")
        );
    }

    pub(super) fn rect(&mut self, (x, y): Point, (width, height): Point, colour: &str) {
        let _ = writeln!(
            self.0,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\" stroke=\"white\"/>"
        );
    }

    /// `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, (x, y): Point, anchor: &str, colour: &str, text: &str) {
        if !text.is_empty() {
            let text = escaped(text);
            let _ = writeln!(
                self.0,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
            );
        }
    }

    /// Text that is read from below, in the middle of its place.
    pub(super) fn upright(&mut self, at: Point, text: &str) {
        self.turned(at, -90, "middle", text);
    }

    /// Text that rises from its place.
    pub(super) fn slanted(&mut self, at: Point, text: &str) {
        self.turned(at, -60, "start", text);
    }

    fn turned(&mut self, (x, y): Point, degrees: i32, anchor: &str, text: &str) {
        if !text.is_empty() {
            let (text, turn) = (escaped(text), format!("translate({x:.1} {y:.1}) rotate({degrees})"));
            let _ = writeln!(
                self.0,
                "<text transform=\"{turn}\" text-anchor=\"{anchor}\" fill=\"{BLACK}\">{text}</text>"
            );
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }
}

fn escaped(text: &str) -> String {
    let allowed = |c: &char| !c.is_control();
    text.chars().filter(allowed).fold(String::new(), |mut escaped, c| {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
        escaped
    })
}
