//! The few declarations that are needed of QEMU's `qemu-plugin.h`, interface version 1.

use crate::isa::Isa;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// The start of `qemu_info_t`.
#[repr(C)]
pub struct Info {
    /// What is emulated: `arm`, say.
    pub(crate) target_name: *const c_char,
}

/// Number of this plugin.
pub(crate) type Id = u64;

/// A translated block.
pub(crate) enum Tb {}

/// An instruction of a block.
pub(crate) enum Insn {}

/// `QEMU_PLUGIN_CB_NO_REGS`: the callback reads no registers.
pub(crate) const NO_REGISTERS: c_int = 0;

/// `QEMU_PLUGIN_MEM_W`: stores only.
pub(crate) const STORES: c_int = 2;

unsafe extern "C" {
    pub(crate) fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: extern "C" fn(Id, *mut Tb));
    pub(crate) fn qemu_plugin_register_vcpu_tb_exec_cb(
        tb: *mut Tb,
        callback: extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    pub(crate) fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Insn,
        callback: extern "C" fn(c_uint, u32, u64, *mut c_void),
        flags: c_int,
        accesses: c_int,
        data: *mut c_void,
    );
    pub(crate) fn qemu_plugin_register_atexit_cb(
        id: Id,
        callback: extern "C" fn(Id, *mut c_void),
        data: *mut c_void,
    );
    pub(crate) fn qemu_plugin_tb_n_insns(tb: *const Tb) -> usize;
    pub(crate) fn qemu_plugin_tb_get_insn(tb: *const Tb, index: usize) -> *mut Insn;
    pub(crate) fn qemu_plugin_insn_data(instruction: *const Insn) -> *const u8;
    pub(crate) fn qemu_plugin_insn_size(instruction: *const Insn) -> usize;
    pub(crate) fn qemu_plugin_insn_vaddr(instruction: *const Insn) -> u64;
}

/// The address of a block and the bytes of its instructions.
///
/// # Safety
/// `tb` must be a block that QEMU passed to the callback that is running, with at least one instruction.
pub(crate) unsafe fn code(isa: Isa, tb: *const Tb) -> (u32, Vec<Vec<u8>>) {
    // SAFETY: the indices are less than the number of instructions, and QEMU keeps the bytes of an instruction
    // during the callback.
    unsafe {
        let address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) as u32;
        let bytes = |i| {
            let instruction = qemu_plugin_tb_get_insn(tb, i);
            let data = qemu_plugin_insn_data(instruction);
            let bytes = std::slice::from_raw_parts(data, qemu_plugin_insn_size(instruction));
            bytes.get(..isa.size(bytes)).unwrap_or(bytes).to_vec()
        };
        (address, (0..qemu_plugin_tb_n_insns(tb)).map(bytes).collect())
    }
}
