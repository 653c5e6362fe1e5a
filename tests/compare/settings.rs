//! What an operator would write down for this application, and where a daemon keeps its things.

use std::path::Path;

use crate::fault::{Doing as _, Outcome};

/// The category; records are `customer/1`.
pub const CATEGORY: &str = "customer";

/// Jobs run by hand only: on 29 February nobody measures.
const ERASURED: &str = r#"version = 1
time_zone = "UTC"

[schedule]
prepare = "0 2 29 2 *"
erase = "0 4 29 2 *"
catch_up = false

[source.app]
url = "sqlite:app.db"
"#;

const CUSTOMER: &str = r#"version = 1
source = "app"
table = "customers"
label = "{last_name}, {first_name:.1}."
identity = ["last_name", "first_name", "created_on"]

# Two fifths of them are due.
[brake]
share = "100 %"

[[criterion]]
name = "inactive"
since = "last_contact_on"
period = "3 years"
reason = "no contact for three years"

[erase]
keep = ["id", "status", "created_on", "last_contact_on"]

[erase.anonymise]
first_name = "null"
last_name = { value = "erased" }
email = { template = "erased-{key}@example.invalid" }
phone = "null"

[[dependent]]
table = "orders"
column = "customer_id"
rule = "keep"
keep = ["id", "ordered_on", "total_cents", "shipping"]
anonymise = { ship_name = "null" }

[[dependent]]
table = "addresses"
column = "customer_id"
rule = "delete"
"#;

/// Writes the settings into this folder.
pub fn write(dir: &Path) -> Outcome<()> {
    std::fs::create_dir_all(dir.join("categories")).doing("make a folder for the settings")?;
    let files = [("erasured.toml", ERASURED), ("categories/customer.toml", CUSTOMER)];
    files.iter().try_for_each(|(name, text)| std::fs::write(dir.join(name), text).doing("write the settings"))
}
