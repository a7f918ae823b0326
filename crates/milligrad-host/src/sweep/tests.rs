use super::*;
use std::ops::ControlFlow;

const SPEC: &str = r#"
    model = { name = "digits", input = [8, 8, 1] }
    data = { source = "digits", validation = 0.2 }
    train = { optimizer = { type = "adam", learning_rate = 0.01 }, epochs = 4 }

    [[layer]]
    name = "hidden"
    type = "dense"
    units = 8
    activation = "relu"

    [[layer]]
    type = "dense"
    units = 10
    activation = "softmax"
"#;

fn sweep(rest: &str) -> Result<Sweep> {
    Sweep::parse(&format!("{SPEC}\n{rest}"), "test.toml", Path::new(""))
}

#[test]
fn all_combinations_or_some_of_them() {
    let choices = r#"
        [sweep.choices]
        "hidden.units" = [4, 8, 16]
        "train.optimizer.learning_rate" = [0.001, 0.01]
    "#;
    let trials = sweep(choices).unwrap().trials(None).unwrap();
    let keys: BTreeSet<_> = trials.iter().map(|trial| &trial.key).collect();
    assert_eq!((trials.len(), keys.len()), (6, 6));
    assert_eq!(trials[1].spec.cost.weight_bytes, 64 * 8 + 80 + 4 * 18);
    assert_eq!(trials[4].spec.train.optimizer.learning_rate(), 0.01);
    let some = format!("[sweep]\ntrials = 4\n{choices}");
    let drawn = |seed| -> Vec<String> {
        sweep(&some).unwrap().trials(Some(seed)).unwrap().into_iter().map(|trial| trial.key).collect()
    };
    assert_eq!((drawn(0).len(), drawn(0)), (4, drawn(0)));
    assert_ne!(drawn(0), drawn(1));
    let range = "[sweep]\ntrials = 5\n[sweep.choices]\n\"hidden.units\" = { min = 2, max = 30, log = true }";
    for trial in sweep(range).unwrap().trials(Some(3)).unwrap() {
        assert!((2..=30).contains(&trial.choices["hidden.units"].as_integer().unwrap()));
    }
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("", "there is no [sweep]"),
        ("[sweep]\ntrials = 3", "[sweep.choices] is missing"),
        ("[sweep.choices]", "nothing to try"),
        ("[sweep]\ntrails = 3\n[sweep.choices]\n\"hidden.units\" = [1]", "no key `trails`"),
        ("[sweep.choices]\n\"hiden.units\" = [1]", "no layer `hiden`"),
        ("[sweep.choices]\n\"hidden.units\" = []", "list is empty"),
        ("[sweep.choices]\n\"hidden.units\" = 3", "no list of values"),
        ("[sweep.choices]\n\"hidden.units\" = { min = 3 }", "numbers `min` and `max`"),
        ("[sweep.choices]\n\"hidden.units\" = { min = 3, max = 2 }", "from 3 to 2"),
        ("[sweep.choices]\n\"hidden.units\" = { min = 3, max = 9 }", "say with `trials`"),
        ("[sweep]\ntrials = 0\n[sweep.choices]\n\"hidden.units\" = [1]", "trials is 0"),
        ("[sweep.choices]\n\"hidden.size\" = [1]", "with hidden.size = 1"),
    ];
    for (text, expected) in cases {
        let error = sweep(text).and_then(|sweep| sweep.trials(None)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn what_fits_is_trained_once() {
    let text = r#"
        [target]
        flash_budget = "6 KB"
        [sweep]
        qat_epochs = 1
        [sweep.choices]
        "hidden.units" = [8, 400]
    "#;
    let trials = sweep(text).unwrap().trials(None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut events = 0;
    let mut run = |trial: &Trial| {
        trial.run(folder.path(), 1, &mut |_| {
            events += 1;
            ControlFlow::Continue(())
        })
    };
    let outcomes: Vec<Outcome> = trials.iter().map(|trial| run(trial).unwrap()).collect();
    assert!(outcomes[0].score.unwrap() > 0.5, "{:?}", outcomes[0]);
    assert!(outcomes[0].flash_bytes <= 6_000);
    let problem = outcomes[1].problem.as_ref().unwrap();
    assert!(problem.contains("flash_budget") && problem.contains("layer `hidden` (Dense)"), "{problem}");
    assert_eq!((outcomes[1].score, pareto(&outcomes)), (None, vec![true, false]));
    let again: Vec<Outcome> = trials.iter().map(|trial| run(trial).unwrap()).collect();
    assert_eq!(again, outcomes);
    // 36 batches of 32 and an epoch's end, four times and once more: nothing was trained again.
    assert_eq!(events, 5 * 37);
    assert!(trials[0].test(folder.path()).unwrap() > 0.5);
}

#[test]
fn the_front_is_what_nothing_beats() {
    let outcome = |score, flash_bytes, instructions| Outcome {
        key: String::new(),
        choices: Default::default(),
        score,
        f32_score: score,
        problem: None,
        weight_bytes: 0,
        flash_bytes,
        ram_bytes: 10,
        instructions,
    };
    let outcomes = [
        outcome(Some(0.9), 100, 100),
        outcome(Some(0.9), 100, 101),
        outcome(Some(0.8), 50, 200),
        outcome(Some(0.7), 60, 300),
        outcome(None, 1, 1),
        outcome(Some(0.9), 100, 100),
    ];
    assert_eq!(pareto(&outcomes), [true, false, true, false, false, true]);
}
