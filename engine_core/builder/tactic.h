#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"
#include "engine_core/builder/device.h"
#include "engine_core/ir/attributes.h"
#include "engine_core/ir/format.h"
#include "engine_core/ir/pointwise_program.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {

/// One tensor of a Problem. Logical dims are the op's (N, C, spatial…) whatever the layout.
struct TensorDesc {
    bool present = false;
    Format format;
    Dims dims;
    /// Host elements (plain layout, format.type) when the tensor is constant: weights, or shape values bound for this run. Else null.
    const void* constantData = nullptr;
    /// Set with constantData for true weights: a stable key for caching packed forms. Empty for values bound per run.
    std::string constantKey;
};

/// Everything a tactic may look at: a layer at concrete shapes, types and layouts.
struct Problem {
    const OpDefinition* op = nullptr;
    const Attributes* attributes = nullptr;
    /// Pointwise: what to compute; other ops: epilogue on output 0, whose extra inputs are inputs[op->maxInputs…]. May be null.
    const PointwiseProgram* program = nullptr;
    std::vector<TensorDesc> inputs, outputs;
    int threads = 1;
    /// Text that is equal exactly for problems which may share a measured time: op, attributes, program, dims, formats, threads, and
    /// which inputs are constant (not their values).
    std::string key() const;
};

/// yes, or why not in the words that the Inspector shows: "group 3 with 5 channels: oneDNN has no kernel".
struct Support {
    bool supported = true;
    std::string reason;
    static Support yes() { return {}; }
    static Support no(std::string why) { return {false, std::move(why)}; }
};

/// A tensor at run time. Dims are logical; data lies in the format that the Problem stated.
struct TensorView {
    void* data = nullptr;
    const Dims* dims = nullptr;
    template <class T>
    T* as() const { return static_cast<T*>(data); }
};

/// Where a kernel with data-dependent shapes puts its outputs.
class OutputAllocator {
public:
    virtual ~OutputAllocator() = default;
    /// Host memory for output `index`, 64-byte aligned, valid until the next run of the same context. Never null (throws nothing:
    /// an impossible size returns an error).
    virtual Result<void*> allocate(int index, const Dims& dims) = 0;
};

struct RunArguments {
    std::span<const TensorView> inputs;   // data null for absent ones
    std::span<const TensorView> outputs;  // data null for absent and data-dependent ones
    void* workspace = nullptr;            // workspaceBytes(), 64-byte aligned, on the kernel's device
    Stream* stream = nullptr;             // null on the CPU
    OutputAllocator* allocator = nullptr; // only for ops with dataDependentShape
    const CancelToken* cancel = nullptr;  // asked by kernels that may run for seconds, which then fail with Cancelled; null: never
};

/// A tactic made ready for one Problem. Immutable after prepare(): run() may be called from several threads at once, each with
/// its own workspace. Holds no activation memory.
class Kernel {
public:
    virtual ~Kernel() = default;
    virtual size_t workspaceBytes() const { return 0; }
    /// Unsupported: on the host, where a value that is first seen now cannot be computed with; never of a device.
    virtual Status run(const RunArguments& arguments) const = 0;
    /// What the inspector shows beside the tactic's name, e.g. oneDNN's implementation string. May be empty.
    virtual std::string description() const { return {}; }
};

/// Packed weights that every plan of one engine shares. Thread-safe.
class PackedWeightsCache {
public:
    using Fill = std::function<Status(void* destination)>;
    /// The bytes under `key`, filled at first request; when that fails nothing is kept and the next request fills anew. Memory is 64-byte
    /// aligned and lives as long as any returned pointer.
    Result<std::shared_ptr<const void>> get(const std::string& key, size_t bytes, const Fill& fill);
    size_t totalBytes() const;
    PackedWeightsCache();
    ~PackedWeightsCache();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

struct PrepareContext {
    PackedWeightsCache* packedWeights = nullptr;
    Device* device = nullptr;  // null: CPU
    const CancelToken* cancel = nullptr;  // asked while weights are packed: prepare() then fails with Cancelled; null: never
};

/// One way to run an op on one kind of device. Stateless; registered once; called from any thread.
class Tactic {
public:
    virtual ~Tactic() = default;
    virtual std::string_view name() const = 0;  // "onednn.conv", stable: written into engine files
    /// Cheap: looks only at the problem.
    virtual Support supports(const Problem& problem) const = 0;
    /// Format combinations worth timing for a problem whose formats are still the network's types in Plain layout. Each entry has one
    /// Format per input and output (constants keep theirs). Default: just the plain one. Duplicates and unsupported ones are dropped by the caller.
    struct Formats {
        std::vector<Format> inputs, outputs;
    };
    virtual std::vector<Formats> candidateFormats(const Problem& problem) const;
    /// Output `o` may share memory with input `i` of the same stored size.
    virtual bool canRunInPlace(const Problem&, int /*input*/, int /*output*/) const { return false; }
    /// Where in output 0 the stored bytes of `input` belong, when they lie there in one piece (Concat along the outermost axis). The
    /// planner may then place the input there, and the kernel leaves alone what is in place already.
    virtual std::optional<size_t> placeInOutput(const Problem&, int /*input*/) const { return std::nullopt; }
    /// Naive oracle: chosen only when nothing else supports the problem, and then reported as a problem.
    virtual bool isReference() const { return false; }
    /// The type with so many bits of mantissa as factors in FP32 are rounded to before they are multiplied (TF32:
    /// Float16); Undefined: they are not.
    virtual DataType roundsFactorsTo() const { return DataType::Undefined; }
    /// Multiplies in FP32 whatever its tensors are stored in, and no faster by rounded constants: it gets them in FP32.
    virtual bool wantsExactConstants() const { return false; }
    virtual Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const = 0;
};

/// Tactics by op name and device, in order of preference, reference last. Filled at start-up by app (registerCpuKernels …), then read-only.
class KernelRegistry {
public:
    /// `op` "*" serves every op (asked after the op's own).
    void add(DeviceKind device, std::string op, std::unique_ptr<Tactic> tactic);
    std::vector<const Tactic*> tactics(DeviceKind device, std::string_view op) const;
    const Tactic* findByName(std::string_view name) const;
    void addDevice(std::unique_ptr<DeviceProvider> provider);
    const std::vector<std::unique_ptr<DeviceProvider>>& devices() const { return m_providers; }

private:
    struct Entry {
        DeviceKind device;
        std::string op;
        std::unique_ptr<Tactic> tactic;
    };
    std::vector<Entry> m_entries;
    std::vector<std::unique_ptr<DeviceProvider>> m_providers;
};

}  // namespace strobe
