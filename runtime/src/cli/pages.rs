//! `thumbs completions` and `thumbs man`: what shells and `man` want to know of the command line, made from the same description that reads it.

use std::{fs, io, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// For which shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct Man {
    /// Where the pages are put, one for each command [default: that of `thumbs` to standard output].
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Completions {
    /// Writes the script.
    pub(super) fn run(&self, mut command: Command, out: &mut dyn io::Write) {
        clap_complete::generate(self.shell, &mut command, "thumbs", out);
    }
}

impl Man {
    /// Writes the pages.
    ///
    /// # Errors
    /// A file can't be written.
    pub(super) fn run(&self, command: Command, out: &mut dyn io::Write) -> io::Result<()> {
        match &self.folder {
            None => clap_mangen::Man::new(command).render(out),
            Some(folder) => {
                fs::create_dir_all(folder)?;
                clap_mangen::generate_to(command, folder)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, ValueEnum as _};

    use super::{super::Cli, *};

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            Completions { shell: *shell }.run(Cli::command(), &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("submit") && script.contains("doctor"), "{shell}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::TempDir::new().unwrap();
        Man { folder: Some(folder.path().to_owned()) }.run(Cli::command(), &mut Vec::new()).unwrap();
        let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page("thumbs.1").contains(".TH thumbs 1"));
        assert!(page("thumbs-submit.1").contains("\\-\\-output"));
        assert!(page("thumbs-key-new.1").contains("SCOPES"));
        let mut alone = Vec::new();
        Man { folder: None }.run(Cli::command(), &mut alone).unwrap();
        assert!(!alone.is_empty());
    }
}
