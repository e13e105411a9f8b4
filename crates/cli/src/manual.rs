//! The manual page and the shells' completions, from the same definitions as `--help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;

use crate::Cli;

#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell to print for
    shell: clap_complete::Shell,
}

/// `acrida man`: one page for all subcommands.
pub fn man() -> Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let main = clap_mangen::Man::new(command.clone());
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        page.extend_from_slice(format!(".SH \"ACRIDA {}\"\n", sub.get_name().to_uppercase()).as_bytes());
        let sub = clap_mangen::Man::new(sub.clone());
        for (title, render) in [
            ("SYNOPSIS", clap_mangen::Man::render_synopsis_section as Render),
            ("", clap_mangen::Man::render_description_section),
            ("OPTIONS", clap_mangen::Man::render_options_section),
        ] {
            let mut section = Vec::new();
            render(&sub, &mut section)?;
            let text = String::from_utf8_lossy(&section);
            // Sections of a subcommand are subsections here.
            let body = text.split_once(".SH ").and_then(|(_, rest)| rest.split_once('\n')).map_or("", |(_, body)| body);
            let head = if title.is_empty() || body.is_empty() { ".PP\n".to_string() } else { format!(".SS {title}\n") };
            page.extend_from_slice(head.as_bytes());
            page.extend_from_slice(body.as_bytes());
        }
    }
    page.extend_from_slice(EXIT_STATUS.as_bytes());
    Ok(crate::print(&String::from_utf8_lossy(&page)))
}

type Render = fn(&clap_mangen::Man, &mut dyn std::io::Write) -> std::io::Result<()>;

const EXIT_STATUS: &str = ".SH \"EXIT STATUS\"
.B acrida run
gives the exit status of the program, or 128 plus the number of the signal that ended it.
.TP
125
acrida itself failed; a line on standard error says why
.TP
126
the program cannot be executed
.TP
127
the program was not found
";

/// `acrida completions SHELL`.
pub fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "acrida", &mut script);
    crate::print(&String::from_utf8_lossy(&script))
}
