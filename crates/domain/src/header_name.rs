//! Names of headers as programs behind CGI read them: `_` and `-` are the same (RFC 3875, section 4.1.18).

/// Whether a header's name can be read as `known`. Both are in lower case, and `known` is written with `-`.
pub fn reads_as(name: &str, known: &str) -> bool {
    name.len() == known.len() && begins_like(name, known)
}

/// Whether a header's name can be read as one that begins with `start`. Both are in lower case, and `start` is written
/// with `-`.
pub fn begins_like(name: &str, start: &str) -> bool {
    let same = |(one, other): (u8, u8)| one == other || (one == b'_' && other == b'-');
    name.len() >= start.len() && name.bytes().zip(start.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_and_hyphens_are_one() {
        for (name, known, same, begins) in [
            ("x-real-ip", "x-real-ip", true, true),
            ("x_real_ip", "x-real-ip", true, true),
            ("x_real-ip", "x-real-ip", true, true),
            ("x_real_ip2", "x-real-ip", false, true),
            ("x-real", "x-real-ip", false, false),
            ("xxreal-ip", "x-real-ip", false, false),
            ("remote_user", "remote-", false, true),
            ("remotes", "remote-", false, false),
            ("", "remote-", false, false),
        ] {
            assert_eq!((reads_as(name, known), begins_like(name, known)), (same, begins), "{name} {known}");
        }
    }
}
