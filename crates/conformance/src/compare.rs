//! A check's lines on the host against its lines elsewhere, as a diff that a person can read.

/// `None` if equal; else the lines of both, marked: ` ` both, `-` only in `wanted`, `+` only in `got`.
pub fn diff(wanted: &[String], got: &[String]) -> Option<String> {
    if wanted == got {
        return None;
    }
    // Longest common subsequence by table: a check prints some tens of lines.
    let mut common = vec![vec![0usize; got.len() + 1]; wanted.len() + 1];
    for i in (0..wanted.len()).rev() {
        for j in (0..got.len()).rev() {
            common[i][j] = if wanted[i] == got[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    let mut put = |mark: char, line: &str| {
        text.push(mark);
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    };
    while i < wanted.len() || j < got.len() {
        if i < wanted.len() && j < got.len() && wanted[i] == got[j] {
            put(' ', &wanted[i]);
            (i, j) = (i + 1, j + 1);
        } else if i < wanted.len() && (j == got.len() || common[i + 1][j] >= common[i][j + 1]) {
            put('-', &wanted[i]);
            i += 1;
        } else {
            put('+', &got[j]);
            j += 1;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::diff;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn equal_is_none() {
        assert_eq!(diff(&lines("a b"), &lines("a b")), None);
    }

    #[test]
    fn a_changed_line_stands_between_its_neighbours() {
        assert_eq!(diff(&lines("a b c"), &lines("a x c")).unwrap(), "  a\n- b\n+ x\n  c\n");
    }

    #[test]
    fn what_never_came_is_missing() {
        assert_eq!(diff(&lines("a b"), &[]).unwrap(), "- a\n- b\n");
    }
}
