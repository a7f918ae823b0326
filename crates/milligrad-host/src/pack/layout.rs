//! The weight layouts of [`milligrad::packed`].

use milligrad::Window2d;
use milligrad::packed::Taps;

/// Rows of `inputs` weights in blocks of four, quad by quad.
pub(super) fn dense_weights(weights: &[i8], inputs: usize) -> Vec<u32> {
    let mut words = Vec::new();
    for block in weights.chunks(4 * inputs) {
        for quad in 0..inputs.div_ceil(4) {
            for row in 0..4 {
                let weight = |i: usize| {
                    let column = 4 * quad + i;
                    if column < inputs { block.get(row * inputs + column).copied().unwrap_or(0) } else { 0 }
                };
                words.push(word([weight(0), weight(1), weight(2), weight(3)]));
            }
        }
    }
    words
}

/// Filters in OHWI order two by two, in the order of [`Taps`].
pub(super) fn conv2d_weights(weights: &[i8], window: &Window2d) -> Vec<u32> {
    let (taps, len) = (Taps::new(window), window.patch_len());
    let mut words = Vec::new();
    for filters in weights.chunks(2 * len) {
        let mut packed = [vec![0i8; taps.len()], vec![0i8; taps.len()]];
        for (filter, packed) in filters.chunks(len).zip(&mut packed) {
            filter.iter().enumerate().for_each(|(element, &w)| packed[taps.place(element)] = w);
        }
        let [a, b] = &packed;
        for quad in (0..taps.len()).step_by(4) {
            words.extend([0, 1].map(|i| word([a[quad + i], b[quad + i], a[quad + i + 2], b[quad + i + 2]])));
        }
    }
    words
}

/// Taps in HWC order as three words for each channel.
pub(super) fn depthwise_weights(weights: &[i8], depth: usize) -> Vec<[u32; 3]> {
    let row = |channel: usize, row: usize| {
        let [w0, w1, w2] = [0, 1, 2].map(|column| weights[(3 * row + column) * depth + channel]);
        word([w0, w1, w1, w2])
    };
    (0..depth).map(|channel| [0, 1, 2].map(|kernel_row| row(channel, kernel_row))).collect()
}

/// Four bytes, the first the lowest.
fn word(bytes: [i8; 4]) -> u32 {
    u32::from_le_bytes(bytes.map(|byte| byte as u8))
}
