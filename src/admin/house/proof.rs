//! A proof in words of the socket.

use crate::api::{Proof, ProofLayer, ProofPlace, ProofVerdict};
use crate::desk::{LayerReport, ProofReport, Verdict};

/// What a proof has found.
pub(super) fn proof(report: &ProofReport) -> Proof {
    let values = report.values.clone().unwrap_or_default();
    let named = report.named();
    let count = |name: &str| named.get(name).copied().unwrap_or(0);
    Proof {
        clean: report.is_clean(),
        records: values.records,
        values: values.values,
        found: values.found,
        in_use: values.in_use,
        in_use_by: values.in_use_by,
        nonzero_ours: count("nonzero_ours"),
        nonzero_application: count("nonzero_application"),
        layers: report.layers.iter().map(layer).collect(),
        faults: report.faults.clone(),
    }
}

fn layer(layer: &LayerReport) -> ProofLayer {
    let (verdict, found, reason) = match &layer.verdict {
        Verdict::Clean => (ProofVerdict::Clean, 0, None),
        Verdict::Found { count } => (ProofVerdict::Found, *count, None),
        Verdict::Pending { reason } => (ProofVerdict::Pending, 0, Some(reason.clone())),
        Verdict::CannotBeSeen { reason } => (ProofVerdict::CannotBeSeen, 0, Some(reason.clone())),
    };
    let places = layer.places.iter().map(|place| ProofPlace {
        region: place.region.as_str().to_owned(),
        tree: place.tree.clone(),
        hits: place.hits,
        pages: place.pages.clone(),
    });
    ProofLayer { layer: layer.layer.as_str().to_owned(), verdict, found, reason, places: places.collect() }
}
