//! `[augment]`: how training samples are changed in each epoch.

use super::reader::{FromValue, Table};
use crate::Result;
use crate::train::{Augment, Fill};
use toml::de::DeValue;

/// Down and to the right: one number for both, or two.
struct Shift([f32; 2]);

impl FromValue for Shift {
    const EXPECTED: &'static str = "a fraction from 0.0 to 1.0, or two of them: [down, right]";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let shift = match value.as_array() {
            Some(list) => {
                let both: Option<Vec<f32>> = list.iter().map(|n| f32::from_value(n.get_ref())).collect();
                both?.try_into().ok()?
            }
            None => [f32::from_value(value)?; 2],
        };
        shift.iter().all(|x| (0.0..=1.0).contains(x)).then_some(Self(shift))
    }
}

impl FromValue for Fill {
    const EXPECTED: &'static str = "\"nearest\", or the value to fill with";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str() {
            Some("nearest") => Some(Self::Nearest),
            Some(_) => None,
            None => f32::from_value(value).map(Self::Constant),
        }
    }
}

/// Reads the table; `shape` is that of an input.
pub(super) fn read(table: &Table<'_, '_>, shape: &[usize]) -> Result<Augment> {
    table.allow(&[
        "shift",
        "rotate",
        "shear",
        "zoom",
        "flip_horizontal",
        "flip_vertical",
        "brightness",
        "contrast",
        "cut_out",
        "noise",
        "jitter",
        "scale",
        "time_shift",
        "time_warp",
        "fill",
    ])?;
    if table.has("jitter") && table.has("noise") {
        return Err(table.fail("jitter", "`jitter` is another name of `noise`", "keep one of them"));
    }
    let Shift(shift) = table.or("shift", Shift([0.0; 2]))?;
    let amount = |key| table.or(key, 0.0f32);
    let augment = Augment {
        shift,
        rotate: amount("rotate")?,
        shear: amount("shear")?,
        zoom: amount("zoom")?,
        flip_horizontal: table.or("flip_horizontal", false)?,
        flip_vertical: table.or("flip_vertical", false)?,
        brightness: amount("brightness")?,
        contrast: amount("contrast")?,
        cut_out: amount("cut_out")?,
        noise: amount(if table.has("jitter") { "jitter" } else { "noise" })?,
        scale: amount("scale")?,
        time_shift: amount("time_shift")?,
        time_warp: amount("time_warp")?,
        fill: table.or("fill", Fill::default())?,
    };
    augment.check(shape).map_err(|error| table.fail_here(error, ""))?;
    Ok(augment)
}
