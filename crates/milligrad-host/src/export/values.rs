//! Values as Rust source.

use milligrad::layers::QuantizedAdd;
use milligrad::{
    Clamp, Padding, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d,
};
use std::fmt::Write as _;

/// A number as a literal that reads back as itself.
pub(crate) trait Literal {
    /// Name of the type.
    const TYPE: &'static str;
    /// The literal.
    fn literal(&self) -> String;
}

impl Literal for i8 {
    const TYPE: &'static str = "i8";
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for i16 {
    const TYPE: &'static str = "i16";
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for i32 {
    const TYPE: &'static str = "i32";
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for u16 {
    const TYPE: &'static str = "u16";
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for f32 {
    const TYPE: &'static str = "f32";
    fn literal(&self) -> String {
        if *self == f32::INFINITY {
            "f32::INFINITY".into()
        } else if *self == f32::NEG_INFINITY {
            "f32::NEG_INFINITY".into()
        } else {
            format!("{self:?}")
        }
    }
}

/// `[a, b, ...]` in lines of at most 110 characters.
pub(crate) fn array<T: Literal>(values: &[T]) -> String {
    lines(values.iter().map(Literal::literal))
}

pub(crate) fn lines(items: impl Iterator<Item = String>) -> String {
    let mut text = String::from("[\n");
    let mut line = String::from("   ");
    for item in items {
        if line.len() + item.len() + 2 > 110 {
            text.push_str(&line);
            text.push('\n');
            line = String::from("   ");
        }
        let _ = write!(line, " {item},");
    }
    text.push_str(&line);
    text.push_str("\n]");
    text
}

/// `QuantizedChannel::table([...], rounding)`
pub(crate) fn channels(channels: &[QuantizedChannel]) -> String {
    let rounding = channels.first().map_or(Rounding::Double, |c| c.requantize.rounding);
    let triple =
        |c: &QuantizedChannel| format!("({}, {}, {})", c.bias, c.requantize.multiplier, c.requantize.shift);
    format!("QuantizedChannel::table({}, Rounding::{rounding:?})", lines(channels.iter().map(triple)))
}

/// `Requantize::new(...)`
pub(crate) fn requantize(r: &Requantize) -> String {
    format!("Requantize::new({}, {}, Rounding::{:?})", r.multiplier, r.shift, r.rounding)
}

/// `QuantizedAdd::new(...)`
pub(crate) fn quantized_add(add: &QuantizedAdd) -> String {
    let term = |(zero_point, scale)| format!("({zero_point}, {})", requantize(&scale));
    let (a, b) = (term(add.a), term(add.b));
    format!("QuantizedAdd::new({a}, {b}, {}, {})", requantize(&add.sum), quantized_output(&add.output))
}

/// `QuantizedOutput::new(...)`
pub(crate) fn quantized_output(output: &QuantizedOutput) -> String {
    format!("QuantizedOutput::new({}, {}, {})", output.zero_point, output.min, output.max)
}

/// `Quantization::new(...)`
pub(crate) fn quantization(q: &Quantization) -> String {
    format!("Quantization::new({}, {})", q.scale.literal(), q.zero_point)
}

/// `Clamp::<f32>::RELU` and the like.
pub(crate) fn clamp(clamp: &Clamp<f32>) -> String {
    for (known, name) in
        [(Clamp::<f32>::LINEAR, "LINEAR"), (Clamp::<f32>::RELU, "RELU"), (Clamp::<f32>::RELU6, "RELU6")]
    {
        if *clamp == known {
            return format!("Clamp::<f32>::{name}");
        }
    }
    format!("Clamp {{ min: {}, max: {} }}", clamp.min.literal(), clamp.max.literal())
}

/// `Clamp::<i16>::RELU` and the like.
pub(crate) fn fixed_clamp(clamp: &Clamp<i16>) -> String {
    for (known, name) in
        [(Clamp::<i16>::LINEAR, "LINEAR"), (Clamp::<i16>::RELU, "RELU"), (Clamp::<i16>::RELU6, "RELU6")]
    {
        if *clamp == known {
            return format!("Clamp::<i16>::{name}");
        }
    }
    format!("Clamp {{ min: {}, max: {} }}", clamp.min, clamp.max)
}

/// `Window2d::new(...)`
pub(crate) fn window(w: &Window2d) -> String {
    let with = |padding| Window2d::new(w.input(), w.kernel(), w.stride(), w.dilation(), padding);
    let fits =
        |axis: usize, padding: usize| w.input()[axis] + padding > (w.kernel()[axis] - 1) * w.dilation()[axis];
    let padding = if with(Padding::Same) == *w {
        "Padding::Same".into()
    } else if fits(0, 0) && fits(1, 0) && with(Padding::Valid) == *w {
        "Padding::Valid".into()
    } else {
        let after = |axis: usize| {
            let needed =
                (w.output()[axis] - 1) * w.stride()[axis] + (w.kernel()[axis] - 1) * w.dilation()[axis] + 1;
            needed.saturating_sub(w.input()[axis] + w.before()[axis])
        };
        let ([top, left], [bottom, right]) = (w.before(), [after(0), after(1)]);
        format!("Padding::Explicit {{ top: {top}, bottom: {bottom}, left: {left}, right: {right} }}")
    };
    format!(
        "Window2d::new({:?}, {:?}, {:?}, {:?}, {padding})",
        w.input(),
        w.kernel(),
        w.stride(),
        w.dilation()
    )
}

/// A layer's name as a constant's.
pub(crate) fn constant_name(name: &str) -> String {
    identifier(name).to_uppercase()
}

/// A name as an identifier in snake case.
pub(crate) fn identifier(name: &str) -> String {
    let mut id: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id.insert_str(0, "layer_");
    }
    id
}
