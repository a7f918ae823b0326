//! How good answers are: accuracy, top-k, precision, recall, F1, confusion matrix, area under the ROC curve; mean absolute and
//! squared errors and R². Plain functions of scores and labels, or of predictions and targets; the numbers are those of
//! scikit-learn with its defaults, where it has the function.
//!
//! ```
//! use milligrad_host::metrics::{ClassRule, Classification};
//!
//! let scores = [0.8, 0.2, 0.4, 0.6, 0.9, 0.1];                    // three samples, two classes
//! let report = Classification::of(ClassRule::Largest, &scores, 2, &[0, 1, 1]);
//! assert_eq!(report.accuracy, 2.0 / 3.0);
//! assert_eq!(report.confusion.rows(), [[1, 0], [1, 1]]);
//! ```

mod choice;
mod confusion;
mod evaluate;
mod metric;
mod ranking;
mod regression;
mod report;

pub use choice::ClassRule;
pub use confusion::{Average, ConfusionMatrix, Scores};
pub use evaluate::{Evaluated, Metrics, answers, evaluate, evaluate_at, raw_len};
pub use metric::Metric;
pub use ranking::{auc, auc_one_vs_rest, top_k};
pub use regression::{huber, mean_absolute_error, mean_squared_error, r2, root_mean_squared_error};
pub use report::{ClassReport, Classification, Regression};

#[cfg(test)]
mod golden_tests;
