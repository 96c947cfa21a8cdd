#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"
#include "engine_core/builder/builder_config.h"
#include "engine_core/builder/tactic.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// One rewrite that a pass made. Names are those at the time; provenance are indices into Network::sourceNodes().
struct RewriteRecord {
    std::string pass;  // "ConvActivationFusion"
    std::string
        result;  // name of the layer (or tensor, when folded) that stands there now; empty: removed without successor
    std::vector<std::string> replaced;  // names of the layers that went
    std::vector<int> provenance;        // all ONNX nodes concerned
    std::string description;            // "Conv + HardSwish: activation became the convolution's epilogue"
    double savedBytes = -1;             // activation traffic avoided, when shapes are constant; −1: unknown
};

/// A place where a pass almost fired.
struct NearMiss {
    std::string pass;
    std::string layer;  // the layer that would have been rewritten
    std::vector<int> provenance;
    std::string reason;  // "its output is also read by 'Add_12'", "disabled by settings"
};

struct PassRun {
    std::string name;
    double milliseconds = 0;
    int rewrites = 0;
    int layersBefore = 0, layersAfter = 0;  // bodies of If, Loop and Scan included
    bool disabled = false;
};

/// What happened to a network on its way from parsed to fused. Immutable once built; the views show it as it is.
struct PassReport {
    std::vector<PassRun> runs;
    std::vector<RewriteRecord> rewrites;
    std::vector<NearMiss> nearMisses;
};

struct PassContext {
    const BuilderConfig& config;
    const KernelRegistry& kernels;  // constant folding runs reference kernels
    CancelToken cancel;
    PassReport& report;
    std::string pass;  // set by the manager
    double modelBytes = 0;  // the constants that came with the model, set by the manager
    double foldedBytes = 0,
           foldedFlops = 0;  // what folding has made and not dropped again, and done, over all rounds and bodies

    void record(RewriteRecord rewrite) const;
    void miss(const Network& network, LayerId layer, std::string reason) const;
};

/// A condition and a rewrite over the whole network. Stateless.
class Pass {
public:
    virtual ~Pass() = default;
    virtual std::string_view name() const = 0;     // "ConvBatchNormFusion"; stable, used in disabledPasses
    virtual std::string_view purpose() const = 0;  // one line for Settings
    virtual Status run(Network& network, PassContext& context) const = 0;
};

/// The one place that runs passes, on the network and on the bodies of its control flow: cancel, disabled list, timing,
/// records, verify() after each. The order stands in pass_order.cpp.
class PassManager {
public:
    static const std::vector<std::unique_ptr<Pass>>& standardPasses();
    static Result<PassReport> run(Network& network, const BuilderConfig& config, const KernelRegistry& kernels,
                                  CancelToken cancel = {});
};

}  // namespace strobe
