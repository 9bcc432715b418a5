//! AWS partitions and the regions in them.
//!
//! The table follows AWS's published endpoint metadata (`partitions.json` of the SDKs) of 2026. Regions that
//! appear later are accepted where a profile names its own endpoint.

use super::text_difference::nearest;

/// One separate AWS cloud, with its own accounts, ARNs and endpoints.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second field of its ARNs.
    pub id: &'static str,
    /// What its endpoints' host names end in.
    pub dns_suffix: &'static str,
    /// Its regions.
    pub regions: &'static [&'static str],
}

/// The regions that an account has to enable before they work
/// (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>).
pub const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Every partition.
pub const PARTITIONS: &[Partition] = &[
    Partition {
        id: "aws",
        dns_suffix: "amazonaws.com",
        regions: &[
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
        ],
    },
    Partition { id: "aws-cn", dns_suffix: "amazonaws.com.cn", regions: &["cn-north-1", "cn-northwest-1"] },
    Partition { id: "aws-us-gov", dns_suffix: "amazonaws.com", regions: &["us-gov-east-1", "us-gov-west-1"] },
    Partition { id: "aws-eusc", dns_suffix: "amazonaws.eu", regions: &["eusc-de-east-1"] },
    Partition { id: "aws-iso", dns_suffix: "c2s.ic.gov", regions: &["us-iso-east-1", "us-iso-west-1"] },
    Partition { id: "aws-iso-b", dns_suffix: "sc2s.sgov.gov", regions: &["us-isob-east-1", "us-isob-west-1"] },
    Partition { id: "aws-iso-e", dns_suffix: "cloud.adc-e.uk", regions: &["eu-isoe-west-1"] },
    Partition { id: "aws-iso-f", dns_suffix: "csp.hci.ic.gov", regions: &["us-isof-east-1", "us-isof-south-1"] },
];

/// Why a text is no region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// A region with a zone's letter behind it.
    #[error("is an availability zone of `{0}`, not a region")]
    Zone(&'static str),
    /// `aws-global` and the like, which name no place.
    #[error("is a pseudo-region of global services, not a region")]
    Global,
    /// Not in the table.
    #[error("is not a region AWS has")]
    Unknown {
        /// The region it was most likely meant to be.
        nearest: Option<&'static str>,
    },
}

impl RegionError {
    /// The region to write instead, where one is likely.
    pub fn suggestion(&self) -> Option<&'static str> {
        match self {
            RegionError::Zone(region) => Some(region),
            RegionError::Global => None,
            RegionError::Unknown { nearest } => *nearest,
        }
    }
}

/// The partition with this id.
pub fn partition(id: &str) -> Option<&'static Partition> {
    PARTITIONS.iter().find(|p| p.id == id)
}

/// The partition whose region this is, or why it is none's.
pub fn partition_of(region: &str) -> Result<&'static Partition, RegionError> {
    if let Some(partition) = PARTITIONS.iter().find(|p| p.regions.contains(&region)) {
        return Ok(partition);
    }
    if region.ends_with("-global") {
        return Err(RegionError::Global);
    }
    if let Some(zone_of) = regions().find(|r| {
        region.strip_prefix(r).is_some_and(|zone| zone.len() == 1 && zone.starts_with(|c: char| c.is_ascii_lowercase()))
    }) {
        return Err(RegionError::Zone(zone_of));
    }
    Err(RegionError::Unknown { nearest: nearest(region, regions()) })
}

/// Every region of every partition.
fn regions() -> impl Iterator<Item = &'static str> {
    PARTITIONS.iter().flat_map(|p| p.regions.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_partition() {
        for (region, id) in [
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition_of(region).map(|p| p.id), Ok(id), "{region}");
        }
    }

    #[test]
    fn says_what_was_meant() {
        for (typed, meant) in [
            ("us-east1", Some("us-east-1")),
            ("eu-wset-1", Some("eu-west-1")),
            ("US-EAST-1", Some("us-east-1")),
            ("eu_central_1", Some("eu-central-1")),
            ("us-east-1a", Some("us-east-1")),
            ("aws-global", None),
            ("Frankfurt", None),
            ("", None),
        ] {
            assert_eq!(partition_of(typed).map_err(|e| e.suggestion()), Err(meant), "{typed}");
        }
    }

    #[test]
    fn no_region_is_in_two_partitions() {
        let mut all: Vec<_> = regions().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
