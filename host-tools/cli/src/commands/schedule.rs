//! `--schedule`: how the learning rate changes from step to step, by the names that specifications know.

use milligrad::Schedule;
use std::fmt;
use std::str::FromStr;

/// A schedule, before it is known how many steps there are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum ScheduleName {
    #[default]
    Constant,
    Step {
        steps: u32,
        factor: f32,
    },
    Exponential {
        steps: u32,
        factor: f32,
    },
    Cosine {
        warmup: u32,
        floor: f32,
    },
}

impl ScheduleName {
    /// The schedule of so many steps.
    ///
    /// # Errors
    /// A warm-up that leaves no step to fall in.
    pub(crate) fn over(self, steps: u32) -> Result<Schedule, String> {
        Ok(match self {
            Self::Constant => Schedule::Constant,
            Self::Step { steps, factor } => Schedule::Step { steps, factor },
            Self::Exponential { steps, factor } => Schedule::Exponential { steps, factor },
            Self::Cosine { warmup, .. } if warmup > 0 && warmup >= steps => {
                return Err(format!(
                    "--schedule: a warm-up of {warmup} steps leaves none of the {steps} that there are"
                ));
            }
            Self::Cosine { warmup, floor } => {
                Schedule::Cosine { warmup, steps: (steps - warmup).max(1), floor }
            }
        })
    }
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => write!(f, "constant"),
            Self::Step { steps, factor } => write!(f, "step:{steps}:{factor}"),
            Self::Exponential { steps, factor } => write!(f, "exponential:{steps}:{factor}"),
            Self::Cosine { warmup, floor } => write!(f, "cosine:{warmup}:{floor}"),
        }
    }
}

impl FromStr for ScheduleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split(':').collect();
        match words[..] {
            ["constant"] => Ok(Self::Constant),
            ["step", steps, factor] => {
                Ok(Self::Step { steps: positive(steps)?, factor: within(factor, f32::MIN_POSITIVE)? })
            }
            ["exponential", steps, factor] => {
                Ok(Self::Exponential { steps: positive(steps)?, factor: within(factor, f32::MIN_POSITIVE)? })
            }
            ["cosine"] => Ok(Self::Cosine { warmup: 0, floor: 0.0 }),
            ["cosine", warmup, floor] => {
                Ok(Self::Cosine { warmup: count(warmup)?, floor: within(floor, 0.0)? })
            }
            ["plateau", ..] => {
                Err("a device has no validation data, and so no plateau; train by it on the desk".into())
            }
            _ => Err(
                "it is constant, step:STEPS:FACTOR, exponential:STEPS:FACTOR, cosine or cosine:WARMUP:FLOOR"
                    .into(),
            ),
        }
    }
}

fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no number of steps"))
}

fn positive(text: &str) -> Result<u32, String> {
    match count(text)? {
        0 => Err("the rate changes after 1 step at the earliest".into()),
        steps => Ok(steps),
    }
}

/// A factor from `least` to 1.
fn within(text: &str, least: f32) -> Result<f32, String> {
    let factor: f32 = text.parse().map_err(|_| format!("`{text}` is no factor"))?;
    let fits = (least..=1.0).contains(&factor);
    let over = if least > 0.0 { "over 0" } else { "from 0" };
    if fits { Ok(factor) } else { Err(format!("the factor {text} is not {over} to 1")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_printed() {
        for text in ["constant", "step:1000:0.5", "exponential:20:0.9", "cosine:10:0.1"] {
            assert_eq!(text.parse::<ScheduleName>().unwrap().to_string(), text);
        }
        let cosine: ScheduleName = "cosine".parse().unwrap();
        assert_eq!(cosine.over(500).unwrap(), Schedule::Cosine { warmup: 0, steps: 500, floor: 0.0 });
        let warm: ScheduleName = "cosine:100:0.25".parse().unwrap();
        assert_eq!(warm.over(500).unwrap(), Schedule::Cosine { warmup: 100, steps: 400, floor: 0.25 });
        assert!(warm.over(101).is_ok());
        assert!(warm.over(100).unwrap_err().contains("none of the 100"));
    }

    #[test]
    fn what_has_no_sense_is_refused() {
        for (text, word) in [
            ("plateau", "plateau"),
            ("step", "step:STEPS:FACTOR"),
            ("step:0:0.5", "1 step"),
            ("step:10:0", "over 0"),
            ("step:10:1.5", "1.5"),
            ("exponential:x:0.5", "`x`"),
            ("exponential:5:nan", "nan"),
            ("cosine:1", "cosine:WARMUP:FLOOR"),
            ("cosine:-1:0", "`-1`"),
            ("cosine:1:-0.5", "from 0"),
            ("linear", "constant"),
        ] {
            let problem = text.parse::<ScheduleName>().unwrap_err();
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }
}
