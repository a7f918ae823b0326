//! Names of layers that stay as they are.

/// Does a pattern, in which `*` is any text, mean this layer, or one that is a part of the layer it means
/// (`NAME.depthwise` of a separable convolution)?
pub fn means(pattern: &str, layer: &str) -> bool {
    matches(pattern, layer) || layer.rsplit_once('.').is_some_and(|(whole, _)| matches(pattern, whole))
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("conv", "conv"),
            ("conv*", "conv2d_1"),
            ("*", "dense"),
            ("*1", "conv1"),
            ("b*k*1", "block_k_1"),
            ("sep", "sep.depthwise"),
            ("s*p", "sep.depthwise"),
        ] {
            assert!(means(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("conv", "conv2"), ("a*a", "a"), ("*2", "conv1"), ("b*x*1", "block_1"), ("", "a")]
        {
            assert!(!means(pattern, name), "{pattern} {name}");
        }
    }
}
