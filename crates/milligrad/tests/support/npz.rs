//! The golden vectors of `tests/golden` at the root of the repository.

use std::collections::BTreeMap;
use std::path::Path;

/// The columns of an `.npz` file by name, widened to `f64`, which holds every `i32` and `f32` exactly.
pub(crate) fn columns(name: &str) -> BTreeMap<String, Array> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
    let mut file = npyz::npz::NpzArchive::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let names: Vec<String> = file.array_names().map(str::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            let array = file.by_name(&name).unwrap().unwrap();
            assert_eq!(array.order(), npyz::Order::C, "{name}");
            let shape = array.shape().iter().map(|&n| n as usize).collect();
            let kind = array.dtype().descr();
            let values = match kind.trim_matches(|c: char| "'<>|".contains(c)) {
                "i1" => array.into_vec::<i8>().unwrap().into_iter().map(f64::from).collect(),
                "i4" => array.into_vec::<i32>().unwrap().into_iter().map(f64::from).collect(),
                "f4" => array.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
                _ => panic!("{name} has elements of type {kind}"),
            };
            (name, Array { shape, values })
        })
        .collect()
}

/// The cases of `<operator>.npz`, each with its fields by name.
pub(crate) fn cases(operator: &str) -> Vec<Case> {
    let mut cases = BTreeMap::<String, Case>::new();
    for (name, array) in columns(&format!("{operator}.npz")) {
        let (case, field) = name.split_once('.').expect("fields are named case.field");
        let entry = cases
            .entry(case.to_owned())
            .or_insert_with(|| Case { name: format!("{operator} {case}"), fields: BTreeMap::new() });
        entry.fields.insert(field.to_owned(), array);
    }
    cases.into_values().collect()
}

/// One array.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    pub(crate) fn i8(&self) -> Vec<i8> {
        self.values.iter().map(|&v| v as i8).collect()
    }

    pub(crate) fn i32(&self) -> Vec<i32> {
        self.values.iter().map(|&v| v as i32).collect()
    }

    /// As `f64`; every `f32` is one.
    pub(crate) fn reals(&self) -> &[f64] {
        &self.values
    }

    /// The samples of a batch.
    pub(crate) fn samples(&self) -> Vec<Vec<i8>> {
        let len = self.shape[1..].iter().product();
        self.i8().chunks_exact(len).map(<[i8]>::to_vec).collect()
    }
}

/// One case of an operator.
pub(crate) struct Case {
    pub(crate) name: String,
    fields: BTreeMap<String, Array>,
}

impl Case {
    pub(crate) fn get(&self, field: &str) -> Option<&Array> {
        self.fields.get(field)
    }

    pub(crate) fn array(&self, field: &str) -> &Array {
        self.get(field).unwrap_or_else(|| panic!("{} has no {field}", self.name))
    }

    pub(crate) fn real(&self, field: &str) -> f64 {
        self.array(field).values[0]
    }

    pub(crate) fn int(&self, field: &str) -> i32 {
        self.real(field) as i32
    }

    pub(crate) fn attributes(&self) -> Vec<usize> {
        self.array("attributes").i32().into_iter().map(|v| v as usize).collect()
    }
}
