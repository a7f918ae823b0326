//! The confusion matrix: how many of each digit (row) were taken for which (column), and what follows from it.

use crate::course::{Course, Result, train};
use crate::digits;
use milligrad_host::metrics::{Metrics, evaluate};
use milligrad_host::plot::{Canvas, heat_map};
use milligrad_host::train::{FitOptions, Optimizer};

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let mut graph = digits::build(&digits::network("digits").dense(32).relu().dense(10).softmax())?;
    let options = FitOptions { epochs: 20, optimizer: Optimizer::adam(0.003), ..FitOptions::default() };
    train(&mut graph, &digits::samples(&data.train)?, None, &options)?;

    let evaluated = evaluate(&graph, &data.test, options.loss)?;
    let Metrics::Classes(report) = &evaluated.metrics else { return Err("digits are classes".into()) };
    let title = "     the test part";
    let map = heat_map(title, ["true", "predicted"], &data.test.classes, report.confusion.rows());
    println!("{}", map.text(&Canvas::plain(80, 14)));
    println!("     digit  precision  recall  F1");
    for (digit, class) in report.classes.iter().enumerate() {
        let scores = class.scores;
        println!("     {digit:5}  {:9.3}  {:6.3}  {:.3}", scores.precision, scores.recall, scores.f1);
    }
    // What is right lies on the diagonal.
    course.figure("share on the diagonal", report.confusion.accuracy(), report.accuracy, 1e-9);
    course.at_least("test accuracy", report.accuracy, 0.95);
    // Of each class the same number of samples: then the mean of the recalls is the accuracy.
    course.figure("mean recall of the digits", report.macro_average.recall, report.accuracy, 0.005);
    course.at_least("mean F1", report.macro_average.f1, 0.95);
    course.at_least(
        "area under the ROC curve, mean of each digit against the rest",
        report.auc.unwrap_or(0.0),
        0.99,
    );
    digits::deploy(course, "confusion", &graph, &data.train, &data.test)
}
