//! One model: trained, quantised, exported, and compared on the board.

use super::report::{Accuracy, BoardFigures, ModelFigures};
use crate::command::root;
use crate::{Result, stages::Stages};
use milligrad_board::{Board, Firmware, ModelSource};
use milligrad_host::data::{Dataset, Split};
use milligrad_host::spec::Spec;
use milligrad_host::train::{Event, Samples, fit};
use milligrad_host::{Graph, Program, QuantizeOptions, export, qat, quantize};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// A specification with its data and its trained graph.
pub(crate) struct Trained {
    pub(crate) spec: Spec,
    pub(crate) data: Split,
    pub(crate) graph: Graph,
}

impl Trained {
    /// Normalised samples of the training part, for calibration.
    pub(crate) fn calibration(&self) -> Vec<f32> {
        self.data.train.normalized(self.graph.normalize, self.spec.quantize.calibration)
    }

    /// The model in int8.
    pub(crate) fn int8(&self) -> Result<Program> {
        let graph = quantize(&self.graph, &self.calibration(), &QuantizeOptions::default())?;
        Ok(Program::compile(&graph, &Default::default())?)
    }

    /// The model trained on for int8, and then in int8.
    pub(crate) fn refined(&self, epochs: usize, seed: u64) -> Result<Program> {
        let samples = |data: &Dataset| Samples::of(data, self.graph.normalize);
        let validation = self.data.validation.as_ref().map(samples).transpose()?;
        let graph = qat::refine(
            &self.graph,
            &self.calibration(),
            (&samples(&self.data.train)?, validation.as_ref()),
            &QuantizeOptions::default(),
            &qat::fit_options(&self.spec.train.fit_options(seed), epochs),
            &mut |_| ControlFlow::Continue(()),
        )?;
        Ok(Program::compile(&graph, &Default::default())?)
    }

    /// Share of right answers on the test part.
    pub(crate) fn accuracy(&self, program: &Program) -> Result<f64> {
        Ok(program.accuracy(&program.outputs(&program.records(&self.data.test))?, self.labels()?))
    }

    /// Labels of the test part.
    pub(crate) fn labels(&self) -> Result<&[u32]> {
        labels(&self.data.test)
    }
}

pub(crate) fn labels(data: &Dataset) -> Result<&[u32]> {
    data.labels().ok_or_else(|| format!("{} has no classes", data.name).into())
}

/// Trains `examples/NAME.toml`.
pub(crate) fn train(name: &str, seed: u64, stages: &mut Stages) -> Result<Trained> {
    let spec = Spec::read(root().join("examples").join(name).with_extension("toml"))?;
    let data = stages.stage(&format!("{name}: data"), || spec.load_data())?;
    let mut graph = spec.graph(&data.train.classes, seed)?;
    stages.stage(
        &format!("{name}: train {} epochs on {} samples", spec.train.epochs, data.train.len()),
        || {
            let samples = Samples::of(&data.train, graph.normalize)?;
            let validation =
                data.validation.as_ref().map(|data| Samples::of(data, graph.normalize)).transpose()?;
            let options = spec.train.fit_options(seed);
            let mut shown = 0;
            fit(&mut graph, &samples, validation.as_ref(), &options, &mut |event| {
                if let Event::Epoch { record, .. } = event {
                    shown += 1;
                    if shown % options.epochs.div_ceil(5) == 0 || shown == options.epochs {
                        eprintln!(
                            "    epoch {shown}/{}  loss {:.4}  accuracy {:.4}  validation accuracy {:.4}",
                            options.epochs,
                            record.loss,
                            record.accuracy.unwrap_or(f64::NAN),
                            record.val_accuracy.unwrap_or(f64::NAN)
                        );
                    }
                }
                ControlFlow::Continue(())
            })
        },
    )?;
    Ok(Trained { spec, data, graph })
}

/// Writes the source of a program where the firmware's build finds it.
pub(crate) fn export(name: &str, program: &Program) -> Result<PathBuf> {
    let folder = root().join("target/demo");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name).with_extension("rs");
    std::fs::write(&path, export::rust(program)?)?;
    Ok(path)
}

/// Quantises, and runs the test part on the desk and on the board.
pub(crate) fn quantized(
    model: &Trained,
    target: Option<&'static Board>,
    limit: Option<usize>,
    stages: &mut Stages,
) -> Result<ModelFigures> {
    let name = model.spec.name.as_str();
    let labels = model.labels()?;
    let float = Program::compile(&model.graph, &Default::default())?;
    let program = stages.stage(&format!("{name}: quantise"), || model.int8())?;
    let records = program.records(&model.data.test);
    let (float_accuracy, outputs) =
        stages.stage(&format!("{name}: {} test samples on the desk", labels.len()), || -> Result<_> {
            let float_outputs = float.outputs(&float.records(&model.data.test))?;
            Ok((float.accuracy(&float_outputs, labels), program.outputs(&records)?))
        })?;
    let mut figures = ModelFigures {
        name: name.to_owned(),
        parameters: program.analysis().parameters,
        macs: program.analysis().macs,
        accuracy: Accuracy {
            f32: float_accuracy,
            int8_desk: program.accuracy(&outputs, labels),
            int8_board: None,
        },
        board: None,
    };
    let Some(target) = target else { return Ok(figures) };
    let path = export(name, &program)?;
    let firmware = stages.stage(&format!("{name}: firmware for {}", target.name), || {
        Firmware::build(target, &[ModelSource::new(name, path)])
    })?;
    let samples = limit.unwrap_or(labels.len()).min(labels.len());
    let sent = &records[..samples * program.input_bytes()];
    let predictions = stages
        .stage(&format!("{name}: {samples} test samples on the board"), || firmware.predict(name, sent))?;
    let profile = stages
        .stage(&format!("{name}: profile"), || firmware.profile(name, &records[..program.input_bytes()]))?;
    let expected = &outputs[..predictions.outputs.len().min(outputs.len())];
    let differing = expected.iter().zip(&predictions.outputs).filter(|(desk, board)| desk != board).count();
    let absent = samples * program.output_bytes() - predictions.outputs.len();
    figures.accuracy.int8_board = Some(program.accuracy(&predictions.outputs, &labels[..samples]));
    figures.board = Some(BoardFigures {
        name: target.name,
        values_compared: samples * program.output_bytes(),
        mismatches: differing + absent,
        instructions_per_inference: predictions.cost.instructions,
        code_bytes: profile.code_bytes,
        constant_bytes: profile.constant_bytes,
        weight_bytes: program.analysis().weight_bytes,
        arena_bytes: program.analysis().arena_bytes,
        stack_bytes: predictions.cost.stack_bytes,
        panics: profile.panics,
    });
    Ok(figures)
}
