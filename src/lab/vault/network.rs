//! The address rules of a vault's firewall.

use std::net::Ipv4Addr;

/// Whether a rule, an address or a block such as `203.0.113.0/24`, holds the address.
pub(super) fn holds(rule: &str, address: Ipv4Addr) -> bool {
    let (base, bits) = rule.split_once('/').unwrap_or((rule, "32"));
    let (Ok(base), Ok(bits @ 0..=32)) = (base.parse::<Ipv4Addr>(), bits.parse::<u32>()) else { return false };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    base.to_bits() & mask == address.to_bits() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses() {
        for (rule, held) in [
            ("127.0.0.1", true),
            ("127.0.0.1/32", true),
            ("127.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("127.0.0.2", false),
            ("128.0.0.0/8", false),
            ("127.0.0.0/33", false),
            ("x", false),
        ] {
            assert_eq!(holds(rule, Ipv4Addr::LOCALHOST), held, "{rule}");
        }
    }
}
