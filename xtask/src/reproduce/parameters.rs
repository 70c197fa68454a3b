//! The parameters of a run on the command line.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::reproduce::engine;
use ecac_artifact::Parameters;

/// The seed of the artifacts that the documentation cites.
const SEED: u64 = 42;

/// The ops of each scenario in the artifacts that the documentation cites.
const OPS: u32 = 500;

/// What to run.
#[derive(Debug, Clone, Args)]
pub struct ParameterArgs {
    /// The seed of everything random
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
    /// How many ops each scenario makes
    #[arg(long, value_name = "N", default_value_t = OPS, value_parser = clap::value_parser!(u32).range(1..))]
    ops: u32,
    /// A scenario to run; repeat it for several [default: all]
    #[arg(long = "scenario", value_name = "NAME", value_parser = PossibleValuesParser::new(engine::scenario_names()))]
    scenarios: Vec<String>,
}

impl ParameterArgs {
    /// The parameters, with each scenario once and in the order of the engine.
    pub fn resolve(&self) -> Parameters {
        if self.scenarios.is_empty() {
            return Parameters {
                seed: self.seed,
                ops: self.ops,
                ..cited()
            };
        }
        let wanted = |name: &&str| self.scenarios.iter().any(|scenario| scenario == name);
        Parameters {
            scenarios: engine::scenario_names()
                .filter(wanted)
                .map(str::to_owned)
                .collect(),
            seed: self.seed,
            ops: self.ops,
        }
    }
}

/// The parameters of the artifacts that the documentation cites.
#[must_use]
pub fn cited() -> Parameters {
    Parameters {
        scenarios: engine::scenario_names().map(str::to_owned).collect(),
        seed: SEED,
        ops: OPS,
    }
}

/// The same as arguments of `stage`.
#[must_use]
pub fn to_args(parameters: &Parameters) -> Vec<String> {
    let mut args = vec![
        format!("--seed={}", parameters.seed),
        format!("--ops={}", parameters.ops),
    ];
    let scenarios = parameters.scenarios.iter();
    args.extend(scenarios.map(|name| format!("--scenario={name}")));
    args
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        parameters: ParameterArgs,
    }

    #[test]
    fn scenarios_come_once_and_in_order_and_survive_the_way_to_the_stage() {
        let parse = |args: &[String]| {
            let args = std::iter::once("x".to_owned()).chain(args.iter().cloned());
            Cli::try_parse_from(args).map(|cli| cli.parameters.resolve())
        };
        assert_eq!(parse(&[]).unwrap(), cited());
        let args = [
            "--scenario=offline-revoke",
            "--scenario=hb-chain",
            "--scenario=hb-chain",
            "--seed=7",
        ];
        let parameters = parse(&args.map(str::to_owned)).unwrap();
        assert_eq!(parameters.scenarios, ["hb-chain", "offline-revoke"]);
        assert_eq!(parse(&to_args(&parameters)).unwrap(), parameters);
        assert!(parse(&["--scenario=chaos".to_owned()]).is_err());
        assert!(parse(&["--ops=0".to_owned()]).is_err());
    }
}
