//! The confusion matrix: how many of each digit (row) were taken for which (column).

use crate::course::{Course, Result, train};
use crate::digits;
use milligrad_host::train::{FitOptions, Optimizer, evaluate, predict};

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let mut graph = digits::build(&digits::network("digits").dense(32).relu().dense(10).softmax())?;
    let options = FitOptions { epochs: 20, optimizer: Optimizer::adam(0.003), ..FitOptions::default() };
    train(&mut graph, &digits::samples(&data.train)?, None, &options)?;

    let test = digits::samples(&data.test)?;
    let mut matrix = [[0u32; 10]; 10];
    let answers = predict(&graph, test.inputs())?;
    for (scores, &label) in answers.chunks_exact(10).zip(data.test.labels().unwrap_or_default()) {
        let answer = (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or_default();
        matrix[label as usize][answer] += 1;
    }
    println!("          {}", (0..10).map(|digit| format!("{digit:4}")).collect::<String>());
    for (digit, row) in matrix.iter().enumerate() {
        println!("     {digit:4} {}", row.map(|count| format!("{count:4}")).concat());
    }
    // What is right lies on the diagonal.
    let right: u32 = (0..10).map(|digit| matrix[digit][digit]).sum();
    let accuracy = evaluate(&graph, &test, options.loss)?.accuracy.unwrap_or_default();
    course.figure("share on the diagonal", f64::from(right) / test.len() as f64, accuracy, 1e-9);
    course.at_least("test accuracy", accuracy, 0.95);
    digits::deploy(course, "confusion", &graph, &data.train, &data.test)
}
