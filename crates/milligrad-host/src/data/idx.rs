//! IDX files, plain or gzip: the format of MNIST and its kin.
//!
//! Two zero bytes, a byte for the type, a byte for the number of axes, the extents as big-endian u32, the values
//! (<http://yann.lecun.com/exdb/mnist/>).

use super::{Dataset, Parts, Targets, file};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Where Debian's package dataset-fashion-mnist puts its files.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

/// The environment variable that names a folder of data sets.
pub const DATA_FOLDER: &str = "MILLIGRAD_DATA";

/// Fashion-MNIST's classes.
pub const FASHION_MNIST_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The content of an IDX file.
#[derive(Debug, Clone, PartialEq)]
pub struct Idx {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The values, whatever their type in the file.
    pub values: Vec<f32>,
}

/// Fashion-MNIST: 60,000 images of 28 x 28 pixels to learn from, 10,000 to test, values 0 to 255. Without a folder,
/// `$MILLIGRAD_DATA/fashion-mnist` is looked at, then the folder of Debian's package.
///
/// # Errors
/// If there are no such files; says how to get them. See also [`folder`].
pub fn fashion_mnist(path: Option<&Path>) -> Result<Parts> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => fashion_mnist_folder()?,
    };
    folder("fashion-mnist", &path, FASHION_MNIST_CLASSES.map(String::from).to_vec())
}

/// Where Fashion-MNIST is looked for unless a folder is named.
///
/// # Errors
/// If it is in none of the usual places; says how to get it.
pub fn fashion_mnist_folder() -> Result<PathBuf> {
    let from_environment =
        std::env::var_os(DATA_FOLDER).map(|folder| Path::new(&folder).join("fashion-mnist"));
    let candidates: Vec<PathBuf> = from_environment.into_iter().chain([PathBuf::from(DEBIAN)]).collect();
    candidates.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
        let looked: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        Error::Data(format!(
            "Fashion-MNIST is not in {}; on Debian and Ubuntu `apt-get install dataset-fashion-mnist` brings it, \
             elsewhere put its four files into a folder `fashion-mnist` and name the folder around it in \
             ${DATA_FOLDER}",
            looked.join(" or ")
        ))
    })
}

/// A folder with the four files of MNIST: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each plain or with `.gz`. Images get a channel axis.
/// Without names, classes are the numbers up to the largest label.
///
/// # Errors
/// If a file is missing or is not what it should be.
pub fn folder(name: &str, path: &Path, classes: Vec<String>) -> Result<Parts> {
    let train = part(name, path, "train", classes)?;
    let test = part(name, path, "t10k", train.classes.clone())?;
    if test.shape != train.shape {
        return Err(Error::file(
            path,
            format!("training images are {:?}, test images {:?}", train.shape, test.shape),
        ));
    }
    Ok(Parts { train, test })
}

fn part(name: &str, folder: &Path, part: &str, classes: Vec<String>) -> Result<Dataset> {
    let (images_path, images) = either(folder, &format!("{part}-images-idx3-ubyte"))?;
    let (labels_path, labels) = either(folder, &format!("{part}-labels-idx1-ubyte"))?;
    let [count, ref shape @ ..] = images.shape[..] else { return Err(not(&images_path, "images", &images)) };
    if shape.is_empty() {
        return Err(not(&images_path, "images", &images));
    }
    if labels.shape != [count] {
        return Err(Error::file(
            &labels_path,
            format!("{:?} labels for the {count} images of {}", labels.shape, images_path.display()),
        ));
    }
    let mut indices = Vec::with_capacity(labels.values.len());
    for (sample, &label) in labels.values.iter().enumerate() {
        if label.fract() != 0.0 || !(0.0..=65_535.0).contains(&label) {
            return Err(Error::file(&labels_path, format!("the label of sample {sample} is {label}")));
        }
        indices.push(label as u32);
    }
    let classes = if classes.is_empty() {
        (0..=indices.iter().copied().max().unwrap_or(0)).map(|class| class.to_string()).collect()
    } else {
        classes
    };
    let shape = if let [h, w] = *shape { vec![h, w, 1] } else { shape.to_vec() };
    Dataset::new(
        format!("{name} ({})", labels_path.display()),
        &shape,
        images.values,
        Targets::Classes(indices),
        classes,
    )
    .map(|data| Dataset { name: name.into(), ..data })
}

fn not(path: &Path, what: &str, idx: &Idx) -> Error {
    Error::file(path, format!("its extents are {:?}, these are no {what}", idx.shape))
}

fn either(folder: &Path, name: &str) -> Result<(PathBuf, Idx)> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    let path = if plain.exists() {
        plain
    } else if packed.exists() {
        packed
    } else {
        return Err(Error::file(folder, format!("neither `{name}` nor `{name}.gz` is in this folder")));
    };
    Ok((path.clone(), read(&path)?))
}

/// Reads a file.
///
/// # Errors
/// If it can't be read or is no IDX file.
pub fn read(path: &Path) -> Result<Idx> {
    parse(&file::read(path)?).map_err(|problem| Error::file(path, problem))
}

/// Understands the bytes of a file.
fn parse(bytes: &[u8]) -> std::result::Result<Idx, String> {
    let no_idx =
        || "this is no IDX file: it starts with two zero bytes, a type and a number of axes".to_string();
    let ([0, 0, kind, axes], mut rest) = bytes.split_first_chunk::<4>().ok_or_else(no_idx)? else {
        return Err(no_idx());
    };
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(format!("its values are of type {kind:#04x}, which IDX doesn't have")),
    };
    if !(1..=4).contains(axes) {
        return Err(format!("it has {axes} axes, expected 1 to 4"));
    }
    let mut shape = Vec::new();
    for _ in 0..*axes {
        let (extent, after) = rest.split_first_chunk().ok_or("it ends within its header")?;
        shape.push(u32::from_be_bytes(*extent) as usize);
        rest = after;
    }
    let bytes = shape.iter().try_fold(width, |n: usize, &extent| n.checked_mul(extent));
    if bytes != Some(rest.len()) {
        return Err(format!(
            "its header promises {shape:?} values of {width} B, but {} B follow; the file is damaged or truncated",
            rest.len()
        ));
    }
    let values = match kind {
        0x08 => rest.iter().map(|&x| f32::from(x)).collect(),
        0x09 => rest.iter().map(|&x| f32::from(x as i8)).collect(),
        0x0b => decode(rest, |x| f32::from(i16::from_be_bytes(x))),
        0x0c => decode(rest, |x| i32::from_be_bytes(x) as f32),
        0x0d => decode(rest, f32::from_be_bytes),
        _ => decode(rest, |x| f64::from_be_bytes(x) as f32),
    };
    Ok(Idx { shape, values })
}

fn decode<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<N>();
    values.iter().map(|&x| value(x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(kind: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        shape.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    #[test]
    fn reads_every_type() {
        assert_eq!(parse(&file(8, &[2], &[1, 255])).unwrap().values, [1.0, 255.0]);
        assert_eq!(parse(&file(9, &[2], &[1, 255])).unwrap().values, [1.0, -1.0]);
        assert_eq!(parse(&file(0xb, &[1], &[1, 2])).unwrap().values, [258.0]);
        assert_eq!(parse(&file(0xc, &[1], &[0, 0, 1, 2])).unwrap().values, [258.0]);
        assert_eq!(parse(&file(0xd, &[1, 1], &1.5f32.to_be_bytes())).unwrap().values, [1.5]);
        assert_eq!(parse(&file(0xe, &[1], &1.5f64.to_be_bytes())).unwrap().values, [1.5]);
    }

    #[test]
    fn refuses_what_lies() {
        let good = file(8, &[2, 3], &[1; 6]);
        for end in 0..good.len() {
            assert!(parse(&good[..end]).is_err(), "{end} bytes");
        }
        for (bytes, problem) in [
            (file(8, &[2, 3], &[1; 7]), "7 B follow"),
            (file(8, &[u32::MAX; 4], &[1; 6]), "promises"),
            (file(8, &[0x4000_0000, 4], &[]), "promises"),
            (file(7, &[1], &[1]), "type 0x07"),
            (file(8, &[1; 5], &[1]), "5 axes"),
            (file(8, &[], &[]), "0 axes"),
            (b"name,label\n".to_vec(), "no IDX"),
        ] {
            let error = parse(&bytes).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    fn write_folder(train_labels: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        put("train-images-idx3-ubyte", file(8, &[2, 2, 1], &[1, 2, 3, 4]));
        put("train-labels-idx1-ubyte", file(8, &[train_labels.len() as u32], train_labels));
        put("t10k-images-idx3-ubyte", file(8, &[1, 2, 1], &[5, 6]));
        put("t10k-labels-idx1-ubyte", file(8, &[1], &[0]));
        folder
    }

    #[test]
    fn a_folder_of_four_files() {
        let good = write_folder(&[0, 1]);
        let parts = folder("t", good.path(), vec![]).unwrap();
        assert_eq!((parts.train.shape.as_slice(), parts.train.classes.len()), (&[2, 1, 1][..], 2));
        assert_eq!(parts.test.inputs, [5.0, 6.0]);
        let wrong = |labels: &[u8], classes: &[&str]| {
            let classes = classes.iter().map(|c| c.to_string()).collect();
            folder("t", write_folder(labels).path(), classes).unwrap_err().to_string()
        };
        assert!(wrong(&[0], &[]).contains("[1] labels for the 2 images"));
        assert!(wrong(&[0, 2], &["a", "b"]).contains("label of sample 1 is 2"));
        fs::remove_file(good.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let error = folder("t", good.path(), vec![]).unwrap_err().to_string();
        assert!(error.contains("t10k-labels-idx1-ubyte.gz"), "{error}");
        assert!(fashion_mnist(Some(Path::new("/nowhere"))).is_err());
    }
}
