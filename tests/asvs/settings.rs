//! The settings that documents name, beside those of the program.

use clap::{Args as _, Command};
use sessiond::config::Config;

/// The default of a setting, by the name of its variable.
#[track_caller]
pub fn default_of(name: &str) -> String {
    let settings = Config::augment_args(Command::new("settings"));
    let setting = settings.get_arguments().find(|s| s.get_env().is_some_and(|env| env == name));
    let setting = setting.unwrap_or_else(|| panic!("there is no setting {name}"));
    // What has no fixed default says so in its help.
    let help = setting.get_help().map(ToString::to_string).unwrap_or_default();
    let in_help = help.split_once("[default: ").map(|(_, rest)| rest.trim_end_matches(']'));
    let fixed = setting.get_default_values().first().and_then(|value| value.to_str());
    in_help.or(fixed).unwrap_or_default().to_owned()
}

/// Holds that each line of the section's table which names a setting has its default in the next
/// cell, and that these settings are named.
#[track_caller]
pub fn assert_defaults(section: &str, settings: &[&str]) {
    let mut named = Vec::new();
    for line in section.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(at) = cells.iter().position(|cell| is_setting(cell)) else { continue };
        let name = cells[at].trim_matches('`');
        assert_eq!(cells[at + 1], default_of(name), "{line}");
        named.push(name);
    }
    assert_eq!(named, settings);
}

fn is_setting(cell: &str) -> bool {
    let name = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}
