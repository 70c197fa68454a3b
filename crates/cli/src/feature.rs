//! Features of the project that a command takes.

use ecac_artifact::exit;
use ecac_core::{Feature, Replica};

use crate::failure::Failure;

/// Fails where the project does not use the feature: everybody would refuse what is to be written.
pub(crate) fn needs(replica: &Replica, feature: Feature, doing: &str) -> Result<(), Failure> {
    if replica.log().admitted_count() == 0 || replica.uses(feature) {
        return Ok(());
    }
    let hint = match feature {
        Feature::Seal => {
            "a project seals where more than half of the roots that founded it sign together: `ecac init --root DID… --quorum N`"
        }
        Feature::Quorum => {
            "it is founded so: `ecac init --root DID… --quorum N`; here one root signs alone"
        }
        Feature::Confidential => {
            "it is founded so: `ecac init NAME --tag OBJECT.FIELD=TAG --confidential TAG`; here nothing is confidential"
        }
        Feature::Endorse | Feature::Device | Feature::Schema | Feature::Carry => {
            "a project that is founded by this version uses it; this one was founded without"
        }
    };
    let cause = format!("the project does not use the feature `{}`", feature.name());
    Err(Failure::new(exit::REFUSED, doing, cause, hint))
}
