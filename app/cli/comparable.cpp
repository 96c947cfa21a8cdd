#include "app/cli/comparable.h"

#include <algorithm>
#include <cstdio>

namespace strobe::cli {
namespace {

const BindingInfo* find(const std::vector<BindingInfo>& bindings, const std::string& name) {
    const auto isIt = [&](const BindingInfo& binding) { return binding.name == name; };
    const auto found = std::find_if(bindings.begin(), bindings.end(), isIt);
    return found == bindings.end() ? nullptr : &*found;
}

/// What the one has and the other has not, or has in another type; empty: none. `kind` is "input" or "output".
std::string difference(const std::string& kind, const std::vector<BindingInfo>& a, const std::vector<BindingInfo>& b) {
    for (const BindingInfo& ofA : a) {
        const std::string subject = kind + " '" + ofA.name + "'";
        const BindingInfo* ofB = find(b, ofA.name);
        if (!ofB) return "A has an " + subject + ", B has not";
        if (ofA.type != ofB->type)
            return subject + " is " + std::string(dataTypeName(ofA.type)) + " in A, " +
                   std::string(dataTypeName(ofB->type)) + " in B";
    }
    for (const BindingInfo& ofB : b)
        if (!find(a, ofB.name)) return "B has an " + kind + " '" + ofB.name + "', A has not";
    return {};
}

/// Why B cannot stand beside A, and what to do; empty when it can.
std::string whyNotComparable(const Engine& a, const Engine& b, const NamedTensors& inputs) {
    constexpr const char* kRemedy = "; give two builds of one model, or export both models with the same ";
    if (const std::string found = difference("input", a.inputs(), b.inputs()); !found.empty())
        return found + kRemedy + "inputs";
    if (const std::string found = difference("output", a.outputs(), b.outputs()); !found.empty())
        return found + kRemedy + "outputs";
    std::map<std::string, Dims> shapes;
    for (const auto& [name, tensor] : inputs) shapes[name] = tensor->dims;
    const Status fits = b.profileFor(shapes).status();
    return fits.isOk() ? "" : "B does not take A's input: " + fits.message();
}

std::string describe(const char* side, const Build& build) {
    const Engine::Parts& parts = build.engine->parts();
    return std::string(side) + " (" + build.name + ") is of the model " + parts.modelName + " (hash " +
           parts.modelHash + ")";
}

}  // namespace

Status checkComparable(const Build& a, const Build& b, const NamedTensors& inputs) {
    const bool isOneModel = a.engine->parts().modelHash == b.engine->parts().modelHash;
    const std::string sides =
        isOneModel ? a.name + " and " + b.name : describe("A", a) + ", " + describe("B", b);
    const std::string why = whyNotComparable(*a.engine, *b.engine, inputs);
    if (!why.empty())
        return invalidArgument(std::string(isOneModel ? "the two sides" : "two different models") +
                               " cannot be compared: " + sides + "; " + why);
    if (!isOneModel) std::printf("Note: two models are compared: %s\n", sides.c_str());
    return Status::ok();
}

}  // namespace strobe::cli
