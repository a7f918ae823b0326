//! The labs of a first course on deep learning. docs/course.md walks through them.
//!
//! `cargo xtask course` runs all but the two long ones, `cargo xtask course NAME...` those with these names, and
//! `--desk` leaves the emulated board out. Every lab compares what came out with what the course expects.

mod celsius;
mod confusion;
mod course;
mod digits;
mod fashion;
mod folds;
mod house_price;
mod learning_rate;
mod logistic;
mod optimizers;
mod overfitting;

use course::{Course, Result};
use milligrad_board::board;
use std::process::ExitCode;

/// A lab: its name, what it is about, and how it is done.
struct Lab {
    name: &'static str,
    about: &'static str,
    /// Minutes instead of seconds.
    long: bool,
    run: fn(&mut Course) -> Result<()>,
}

const fn lab(name: &'static str, about: &'static str, run: fn(&mut Course) -> Result<()>) -> Lab {
    Lab { name, about, long: false, run }
}

const LABS: [Lab; 10] = [
    lab("house-price", "one neuron: a line through ten houses", house_price::run),
    lab("learning-rate", "too small, right, too large", learning_rate::run),
    lab("celsius", "a formula found from seven examples", celsius::run),
    lab("logistic", "yes or no: is this digit an 8 or a 3?", logistic::run),
    lab("optimizers", "SGD, momentum, RMSProp and Adam on the same network", optimizers::run),
    lab("overfitting", "cured by dropout, L2, early stopping, augmentation", overfitting::run),
    lab("k-fold", "how sure is an accuracy? Cross-validation", folds::run),
    lab("confusion", "which digit is taken for which", confusion::run),
    Lab { long: true, ..lab("lab01", "clothes, a dense network", fashion::lab01) },
    Lab { long: true, ..lab("lab02", "clothes, a convolutional network", fashion::lab02) },
];

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// `false` if a figure is not what it should be.
fn run(mut names: Vec<String>) -> Result<bool> {
    let desk = names.iter().any(|name| name == "--desk");
    names.retain(|name| name != "--desk");
    if let Some(unknown) = names.iter().find(|name| LABS.iter().all(|lab| lab.name != name.as_str())) {
        let known = LABS.map(|lab| format!("  {:14} {}", lab.name, lab.about)).join("\n");
        return Err(format!("no lab `{unknown}`; there are\n{known}").into());
    }
    let board = if desk { None } else { Some(board("mps2-an386")?) };
    let mut course = Course::new(board);
    for lab in &LABS {
        if names.iter().any(|name| name == lab.name) || names.is_empty() && !lab.long {
            println!("\n== {}: {}\n", lab.name, lab.about);
            (lab.run)(&mut course)?;
        }
    }
    println!("\n{} figures checked, {} not as expected", course.checked, course.failures.len());
    course.failures.iter().for_each(|failure| println!("  {failure}"));
    Ok(course.failures.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every quick lab gives its figures on the desk.
    #[test]
    fn the_course_works() {
        let mut course = Course::new(None);
        for lab in LABS.iter().filter(|lab| !lab.long) {
            (lab.run)(&mut course).unwrap();
        }
        assert!(course.checked > 20);
        assert!(course.failures.is_empty(), "{:#?}", course.failures);
    }

    #[test]
    fn an_unknown_lab_is_refused() {
        assert!(run(vec!["lab99".into()]).unwrap_err().to_string().contains("house-price"));
    }
}
