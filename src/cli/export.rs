use std::io::{self, Write};
use std::path::Path;

use super::{Data, Failure, Outcome, with_data};
use crate::app::World;
use crate::config::Config;
use crate::models::{User, UserSession};
use crate::store::files;
use crate::store::{Record, Records as _, write_records};

/// Names what an export is; `import` looks for it.
pub const FORMAT: &str = "sessiond export 1";

pub async fn export(config: &Config, file: Option<&Path>) -> Outcome {
    with_data(config, async |data| match file {
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            write(&data, &mut out).and_then(|()| out.flush()).map_err(Failure::from)
        }
        Some(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let temporary = path.with_file_name(format!(".{name}.tmp"));
            files::replace(World::default().files.as_ref(), path, &temporary, |out| {
                write(&data, out)
            })
            .map_err(|cause| Failure::of(format!("{}: {cause}", path.display())))
        }
    })
    .await
}

fn write(data: &Data, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"format\": \"{FORMAT}\",\n\"{}\": ", User::CLASS)?;
    write_records(data.stores.users.table(), out)?;
    write!(out, ",\n\"{}\": ", UserSession::CLASS)?;
    write_records(data.stores.sessions.table(), out)?;
    out.write_all(b"}\n")
}
