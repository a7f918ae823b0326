//! The golden vectors of `tests/golden` at the root of the repository.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The columns of an `.npz` file by name.
pub(crate) fn columns(name: &str) -> BTreeMap<String, Array> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut columns = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let name = member.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        columns.insert(name, Array::parse(&bytes));
    }
    columns
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

/// One array, widened to `f64`, which holds every `i8`, `i32` and `f32` exactly.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    /// Reads version 1 of the NPY format, <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
    fn parse(bytes: &[u8]) -> Self {
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..data]).unwrap();
        assert!(header.contains("'fortran_order': False"), "{header}");
        let between = |start, end| header.split_once(start).unwrap().1.split_once(end).unwrap().0;
        let shape = between("'shape': (", ")").split(',').filter_map(|n| n.trim().parse().ok()).collect();
        let data = &bytes[data..];
        let words = data.as_chunks::<4>().0.iter();
        let values: Vec<f64> = match between("'descr': '", "'") {
            "|i1" => data.iter().map(|&b| f64::from(b as i8)).collect(),
            "<i4" => words.map(|&b| f64::from(i32::from_le_bytes(b))).collect(),
            "<f4" => words.map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
            kind => panic!("elements of type {kind}"),
        };
        let array = Self { shape, values };
        assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
        array
    }

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
