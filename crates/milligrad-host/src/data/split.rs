//! Training, validation and test part: stratified and seeded, so that everyone gets the same ones.

use super::{Dataset, Targets};
use crate::train::Pcg32;
use crate::{Error, Result};

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many samples.
    Count(usize),
    /// This fraction, `0.0..1.0`, rounded to whole samples.
    Fraction(f64),
    /// Keras' `validation_split`: this fraction, `0.0..1.0`, from the end, as the samples come. Not stratified.
    Last(f64),
}

impl Share {
    /// Number of samples.
    pub fn of(self, samples: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Fraction(fraction) => (fraction * samples as f64).round() as usize,
            Self::Last(fraction) => samples - (samples as f64 * (1.0 - fraction)).floor() as usize,
        }
    }
}

/// What a source offers: samples to learn from, and those that nothing but the last evaluation sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// For training and validation.
    pub train: Dataset,
    /// For the accuracy that is reported.
    pub test: Dataset,
}

/// The three parts that training needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Learned from.
    pub train: Dataset,
    /// Looked at while learning, to choose; `None` if nothing was set aside.
    pub validation: Option<Dataset>,
    /// Looked at once.
    pub test: Dataset,
}

impl Parts {
    /// Takes the test part off a data set that comes in one piece.
    ///
    /// # Errors
    /// As for [`split`](Self::split).
    pub fn of(data: Dataset, test: Share, seed: u64) -> Result<Self> {
        let (train, test) = divide(&data, test, seed, "test")?;
        let test = test.ok_or_else(|| Error::Data(format!("{}: the test part is empty", data.name)))?;
        Ok(Self { train, test })
    }

    /// Takes the validation part off the training part.
    ///
    /// # Errors
    /// [`Error::Data`] if nothing is left to learn from, or a class is missing in a part.
    pub fn split(self, validation: Share, seed: u64) -> Result<Split> {
        let (train, validation) = divide(&self.train, validation, seed, "validation")?;
        Ok(Split { train, validation, test: self.test })
    }
}

fn divide(data: &Dataset, share: Share, seed: u64, part: &str) -> Result<(Dataset, Option<Dataset>)> {
    let error = |problem: String| Error::Data(format!("{}: {problem}", data.name));
    if let Share::Fraction(fraction) | Share::Last(fraction) = share
        && !(0.0..1.0).contains(&fraction)
    {
        return Err(error(format!("a {part} part of {fraction} is not a fraction from 0 to below 1")));
    }
    let taken = share.of(data.len());
    if taken == 0 {
        return Ok((data.clone(), None));
    }
    if taken >= data.len() {
        return Err(error(format!(
            "a {part} part of {taken} samples leaves none of {} to learn from",
            data.len()
        )));
    }
    let (rest, taken) = match &data.targets {
        _ if matches!(share, Share::Last(_)) => {
            let first = data.len() - taken;
            if data.groups[..first.min(data.groups.len())].iter().any(|g| data.groups[first..].contains(g)) {
                let help = "take `validation`, which keeps groups whole, in place of `validation_split`";
                return Err(error(format!("a group lies in the {part} part and before it; {help}")));
            }
            ((0..first).collect(), (first..data.len()).collect())
        }
        _ if !data.groups.is_empty() => by_group(&data.groups, taken, seed).ok_or_else(|| {
            error(format!("all samples are of one group, so there is no {part} part without it"))
        })?,
        Targets::Classes(labels) => stratified(labels, data.classes.len(), taken, seed),
        Targets::Values { .. } => {
            let mut order = shuffled(data.len(), seed);
            let mut rest = order.split_off(taken);
            rest.sort_unstable();
            order.sort_unstable();
            (rest, order)
        }
    };
    let (rest, taken) = (data.select(&rest), data.select(&taken));
    for (part, name) in [(&rest, "training"), (&taken, part)] {
        let (counts, all) = (part.class_counts(), data.class_counts());
        if let Some(class) = (0..counts.len()).find(|&class| counts[class] == 0 && all[class] > 0) {
            return Err(error(format!(
                "no sample of class `{}` is in the {name} part of {} samples (there are {} in all); change the \
                 size of the parts or leave the class out",
                data.classes[class],
                part.len(),
                all[class]
            )));
        }
    }
    Ok((rest, Some(taken)))
}

/// Divides samples so that every class has the same share in both parts: `(rest, taken)`, each in the order of
/// the data. Quotas are rounded by the largest remainder; which samples go is up to the seed.
pub fn stratified(labels: &[u32], classes: usize, taken: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let taken = taken.min(labels.len());
    let mut members = vec![Vec::new(); classes];
    for (sample, &label) in labels.iter().enumerate() {
        if let Some(members) = members.get_mut(label as usize) {
            members.push(sample);
        }
    }
    let total = labels.len().max(1);
    let mut quotas: Vec<usize> = members.iter().map(|class| class.len() * taken / total).collect();
    let mut by_remainder: Vec<usize> = (0..classes).collect();
    by_remainder.sort_by_key(|&class| (std::cmp::Reverse(members[class].len() * taken % total), class));
    let missing = taken - quotas.iter().sum::<usize>();
    by_remainder.iter().take(missing).for_each(|&class| quotas[class] += 1);
    let mut random = Pcg32::new(seed);
    let (mut rest, mut chosen) = (Vec::new(), Vec::new());
    for (mut class, quota) in members.into_iter().zip(quotas) {
        random.shuffle(&mut class);
        let quota = quota.min(class.len());
        chosen.extend_from_slice(&class[..quota]);
        rest.extend_from_slice(&class[quota..]);
    }
    rest.sort_unstable();
    chosen.sort_unstable();
    (rest, chosen)
}

/// Divides samples so that every group is whole in one part: `(rest, taken)`. Groups are taken in an order that is up
/// to the seed, as long as that brings the number of samples closer to `taken`; at least one goes and one stays.
/// `None` if there are not two groups.
pub fn by_group(groups: &[u32], taken: usize, seed: u64) -> Option<(Vec<usize>, Vec<usize>)> {
    let members = members(groups);
    if members.len() < 2 {
        return None;
    }
    let (mut rest, mut chosen) = (Vec::<usize>::new(), Vec::<usize>::new());
    for (place, group) in shuffled(members.len(), seed).into_iter().map(|i| &members[i]).enumerate() {
        let last = place + 1 == members.len();
        let closer = (chosen.len() + group.len()).abs_diff(taken) < chosen.len().abs_diff(taken);
        let goes = if last { chosen.is_empty() || (closer && !rest.is_empty()) } else { closer };
        if goes { &mut chosen } else { &mut rest }.extend_from_slice(group);
    }
    rest.sort_unstable();
    chosen.sort_unstable();
    Some((rest, chosen))
}

/// One fold of a cross-validation: indices of samples, in the order of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Learned from.
    pub train: Vec<usize>,
    /// Measured on.
    pub validation: Vec<usize>,
}

/// Divides samples into `k` folds for cross-validation: every sample is measured once. Classes keep their share in every
/// fold; with groups (one for each sample, or none at all), every group is whole in one fold instead, and folds are
/// of nearly equal size.
///
/// # Errors
/// [`Error::Data`] if there are fewer than two folds, or fewer samples, members of a class, or groups than folds.
pub fn folds(targets: &Targets, groups: &[u32], k: usize, seed: u64) -> Result<Vec<Fold>> {
    let n = match targets {
        Targets::Classes(labels) => labels.len(),
        Targets::Values { width, values } => values.len() / width.max(&1),
    };
    if k < 2 || k > n {
        return Err(Error::Data(format!("{n} samples can't be divided into {k} folds; take 2 to {n}")));
    }
    let mut fold_of = vec![0; n];
    if groups.is_empty() {
        let strata = match targets {
            Targets::Classes(labels) => members(labels),
            Targets::Values { .. } => vec![(0..n).collect()],
        };
        let mut random = Pcg32::new(seed);
        let mut next = 0;
        for mut stratum in strata {
            if let (true, Targets::Classes(labels)) = (stratum.len() < k, targets) {
                return Err(Error::Data(format!(
                    "class {} has {} samples, too few for {k} folds; take fewer folds or leave the class out",
                    labels[stratum[0]],
                    stratum.len()
                )));
            }
            random.shuffle(&mut stratum);
            for sample in stratum {
                fold_of[sample] = next % k;
                next += 1;
            }
        }
    } else {
        let members = members(groups);
        if members.len() < k || groups.len() != n {
            return Err(Error::Data(format!(
                "{} groups of {n} samples can't be divided into {k} folds; a group is whole in one fold",
                members.len()
            )));
        }
        let mut order = shuffled(members.len(), seed);
        order.sort_by_key(|&group| std::cmp::Reverse(members[group].len()));
        let mut sizes = vec![0; k];
        for group in order {
            let fold = (0..k).min_by_key(|&fold| (sizes[fold], fold)).unwrap_or(0);
            sizes[fold] += members[group].len();
            members[group].iter().for_each(|&sample| fold_of[sample] = fold);
        }
    }
    let indices = |wanted: &dyn Fn(usize) -> bool| (0..n).filter(|&i| wanted(fold_of[i])).collect();
    Ok((0..k)
        .map(|fold| Fold { train: indices(&|f| f != fold), validation: indices(&|f| f == fold) })
        .collect())
}

/// Samples of each key, keys in ascending order.
fn members(keys: &[u32]) -> Vec<Vec<usize>> {
    let mut members = std::collections::BTreeMap::<u32, Vec<usize>>::new();
    keys.iter().enumerate().for_each(|(sample, &key)| members.entry(key).or_default().push(sample));
    members.into_values().collect()
}

/// `0..n` in an order that is up to the seed.
pub fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Pcg32::new(seed).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(labels: Vec<u32>, classes: usize) -> Dataset {
        let inputs = (0..labels.len()).map(|x| x as f32).collect();
        let classes = (0..classes).map(|i| i.to_string()).collect();
        Dataset::new("t", &[1], inputs, Targets::Classes(labels), classes).unwrap()
    }

    #[test]
    fn classes_keep_their_share_and_the_seed_decides() {
        let labels: Vec<u32> = (0..1000).map(|i| u32::from(i % 10 == 0) + u32::from(i % 5 == 0)).collect();
        let (rest, taken) = stratified(&labels, 3, 250, 7);
        assert_eq!((rest.len(), taken.len()), (750, 250));
        let count = |part: &[usize], class| part.iter().filter(|&&i| labels[i] == class).count();
        assert_eq!([0, 1, 2].map(|class| count(&taken, class)), [200, 25, 25]);
        let mut all = [rest, taken.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert_eq!(stratified(&labels, 3, 250, 7).1, taken);
        assert_ne!(stratified(&labels, 3, 250, 8).1, taken);
    }

    #[test]
    fn a_missing_class_and_an_empty_part_are_errors() {
        let few = data(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 2);
        let error = Parts::of(few.clone(), Share::Count(2), 0).unwrap_err().to_string();
        assert!(error.contains("class `1`") && error.contains("test part"), "{error}");
        assert!(Parts::of(few.clone(), Share::Count(10), 0).unwrap_err().to_string().contains("leaves none"));
        assert!(Parts::of(few.clone(), Share::Count(0), 0).unwrap_err().to_string().contains("empty"));
        assert!(Parts::of(few, Share::Fraction(1.5), 0).is_err());
        // A class that the data don't have is nobody's loss.
        assert!(Parts::of(data(vec![0, 0, 1, 1], 3), Share::Count(2), 0).is_ok());
    }

    #[test]
    fn numbers_are_split_too() {
        let values = Targets::Values { width: 1, values: (0..10).map(|x| x as f32).collect() };
        let all = Dataset::new("t", &[1], (0..10).map(|x| x as f32).collect(), values, vec![]).unwrap();
        let split = Parts::of(all, Share::Fraction(0.2), 1).unwrap().split(Share::Count(3), 1).unwrap();
        assert_eq!((split.train.len(), split.validation.unwrap().len(), split.test.len()), (5, 3, 2));
    }

    #[test]
    fn groups_stay_whole() {
        let groups: Vec<u32> = (0..100).map(|i| i / 7).collect();
        let (rest, taken) = by_group(&groups, 20, 3).unwrap();
        assert_eq!(rest.len() + taken.len(), 100);
        assert!((14..=28).contains(&taken.len()), "{}", taken.len());
        assert!(taken.iter().all(|&i| rest.iter().all(|&j| groups[i] != groups[j])));
        assert_eq!(by_group(&[4; 9], 2, 0), None);
        assert_eq!(by_group(&[4, 9], 2, 0).map(|(rest, taken)| (rest.len(), taken.len())), Some((1, 1)));
    }

    #[test]
    fn folds_are_stratified_disjoint_and_complete() {
        let labels: Vec<u32> = (0..103).map(|i| u32::from(i % 10 == 0) + u32::from(i % 5 == 0)).collect();
        let targets = Targets::Classes(labels.clone());
        let all = folds(&targets, &[], 5, 1).unwrap();
        let mut seen: Vec<usize> = all.iter().flat_map(|fold| fold.validation.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..103).collect::<Vec<_>>());
        for fold in &all {
            assert_eq!(fold.train.len() + fold.validation.len(), 103);
            assert!(fold.train.iter().all(|i| !fold.validation.contains(i)));
            let count = |class| fold.validation.iter().filter(|&&i| labels[i] == class).count();
            assert!(
                (16..=17).contains(&count(0)) && (1..=3).contains(&count(1)) && (1..=3).contains(&count(2))
            );
        }
        assert_eq!(folds(&targets, &[], 5, 1).unwrap(), all);
        assert_ne!(folds(&targets, &[], 5, 2).unwrap(), all);
        let error = folds(&targets, &[], 20, 1).unwrap_err().to_string();
        assert!(error.contains("class 1 has 10 samples"), "{error}");
        assert!(folds(&targets, &[], 1, 1).is_err() && folds(&targets, &[], 104, 1).is_err());
        let groups: Vec<u32> = (0..103).map(|i| i / 10).collect();
        for fold in folds(&targets, &groups, 4, 1).unwrap() {
            assert!(fold.validation.iter().all(|&i| fold.train.iter().all(|&j| groups[i] != groups[j])));
            assert!((20..=33).contains(&fold.validation.len()));
        }
    }
}
