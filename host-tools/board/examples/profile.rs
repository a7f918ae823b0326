//! Profiles exported models on emulated boards: `cargo run -p milligrad-board --example profile BOARD MODEL.rs...`
//!
//! Each model is built into a firmware of its own and predicts one input of zeros.

use milligrad_board::{Firmware, ModelSource, Result, board};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let board = board(&arguments.next().unwrap_or("mps2-an386".into()))?;
    for path in arguments {
        let model = ModelSource::read(path)?;
        let name = model.name.clone();
        let firmware = Firmware::build(board, &[model])?;
        let profile = firmware.profile(&name, &[0; 1 << 16])?;
        println!("{name} on {board}: {:?}, {:?}", profile.cost, profile.cycles);
        println!(
            "  counted {}, code {} B, constants {} B, initial values {} B, stack at most {:?} B, panics {:?}",
            profile.counted_instructions,
            profile.code_bytes,
            profile.constant_bytes,
            profile.initial_values_bytes,
            profile.stack_bound_bytes,
            profile.panics,
        );
        for share in profile.layers {
            let (low, high) = (share.cycles.low, share.cycles.high);
            println!("  {:24} {:10} instructions, {low} to {high} cycles", share.name, share.instructions);
        }
        for share in profile.functions {
            println!("    {:10} {}", share.instructions, share.name);
        }
    }
    Ok(())
}
