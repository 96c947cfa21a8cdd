#include "engine_core/ops/einsum.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "engine_core/ops/inference_helpers.h"

namespace strobe {
namespace {

/// Letters stand for themselves; the k-th ellipsis dim from the right is kEllipsis + k.
constexpr int kEllipsis = 256;
using Term = std::vector<int>;

/// "a...b" as labels, the ellipsis filling up to `rank` dims (or to `ellipsisRank` dims in the output, where rank is
/// −1).
Result<Term> parseTerm(const std::string& text, int64_t rank, int64_t ellipsisRank) {
    const auto dots = text.find("...");
    const auto letters = static_cast<int64_t>(text.size()) - (dots == std::string::npos ? 0 : 3);
    const int64_t filled = dots == std::string::npos ? 0 : rank < 0 ? ellipsisRank : rank - letters;
    Term term;
    for (size_t i = 0; i < text.size(); ++i) {
        if (i == dots) {
            for (int64_t k = filled; k-- > 0;) term.push_back(kEllipsis + static_cast<int>(k));
            i += 2;
        } else if (std::isalpha(static_cast<unsigned char>(text[i]))) {
            term.push_back(text[i]);
        } else {
            return invalidModel("attribute 'equation' holds '" + std::string(1, text[i]) + "' in the term '" + text +
                                "'; letters and one ... are allowed");
        }
    }
    if (filled < 0 || (rank >= 0 && static_cast<int64_t>(term.size()) != rank))
        return invalidModel("the term '" + text + "' of attribute 'equation' has " + std::to_string(letters) +
                            " letters, its input has rank " + std::to_string(rank));
    return term;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (char c : text)
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

/// Without "->": the ellipsis, then all letters that stand once, in order.
Term implicitOutput(const std::vector<Term>& terms, int64_t ellipsisRank) {
    std::map<int, int> counts;
    for (const Term& term : terms)
        for (int label : term) ++counts[label];
    Term output;
    for (int64_t k = ellipsisRank; k-- > 0;) output.push_back(kEllipsis + static_cast<int>(k));
    for (const auto& [label, count] : counts)
        if (label < kEllipsis && count == 1) output.push_back(label);
    return output;
}

}  // namespace

Result<EinsumPlan> parseEinsum(const std::string& equation, const std::vector<size_t>& ranks) {
    std::string text;
    for (char c : equation)
        if (!std::isspace(static_cast<unsigned char>(c))) text += c;
    const auto arrow = text.find("->");
    const std::vector<std::string> inputs = split(text.substr(0, arrow), ',');
    if (inputs.size() != ranks.size())
        return invalidModel("attribute 'equation' '" + equation + "' has " + std::to_string(inputs.size()) +
                            " terms, the node has " + std::to_string(ranks.size()) + " inputs");
    std::vector<Term> terms;
    int64_t ellipsisRank = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
        STROBE_ASSIGN(Term term, parseTerm(inputs[i], static_cast<int64_t>(ranks[i]), 0));
        ellipsisRank = std::max<int64_t>(
            ellipsisRank, std::count_if(term.begin(), term.end(), [](int label) { return label >= kEllipsis; }));
        terms.push_back(std::move(term));
    }
    Term output = implicitOutput(terms, ellipsisRank);
    if (arrow != std::string::npos) {
        STROBE_ASSIGN(output, parseTerm(text.substr(arrow + 2), -1, ellipsisRank));
    }
    std::map<int, int> numbers;
    for (int label : output)
        if (!numbers.emplace(label, static_cast<int>(numbers.size())).second)
            return invalidModel("attribute 'equation' '" + equation + "' names an output dim twice");
    EinsumPlan plan;
    plan.outputLabels = static_cast<int>(output.size());
    for (const Term& term : terms) {
        plan.labels.emplace_back();
        for (int label : term)
            plan.labels.back().push_back(numbers.emplace(label, static_cast<int>(numbers.size())).first->second);
    }
    plan.labelCount = static_cast<int>(numbers.size());
    for (int label = 0; label < plan.outputLabels; ++label)
        if (std::none_of(plan.labels.begin(), plan.labels.end(),
                         [&](const auto& l) { return std::find(l.begin(), l.end(), label) != l.end(); }))
            return invalidModel("attribute 'equation' '" + equation + "' has an output dim that no input has");
    return plan;
}

namespace {

Status inferEinsum(InferenceContext& context) {
    std::vector<size_t> ranks;
    for (int i = 0; i < context.inputCount(); ++i) ranks.push_back(context.inputShape(i).size());
    const std::string equation = context.attributes().getString("equation", "");
    STROBE_ASSIGN(const EinsumPlan plan, parseEinsum(equation, ranks));
    Shape extents(static_cast<size_t>(plan.labelCount), Dim(1));
    for (int i = 0; i < context.inputCount(); ++i)
        for (size_t d = 0; d < ranks[static_cast<size_t>(i)]; ++d) {
            Dim& extent = extents[static_cast<size_t>(plan.labels[static_cast<size_t>(i)][d])];
            const auto joined = broadcastShapes({extent}, {context.inputShape(i)[d]});
            if (!joined)
                return invalidModel("attribute 'equation' '" + equation + "': one label stands for " +
                                    extent.toString() + " and for " + context.inputShape(i)[d].toString());
            extent = joined->front();
        }
    extents.resize(static_cast<size_t>(plan.outputLabels));
    context.setOutput(0, context.inputType(0), std::move(extents));
    return Status::ok();
}

double einsumFlops(const CostContext& cost) {
    std::vector<size_t> ranks;
    for (const Dims& dims : cost.inputs) ranks.push_back(dims.size());
    const auto plan = parseEinsum(cost.attributes.getString("equation", ""), ranks);
    if (!plan) return 0.0;
    std::vector<int64_t> extents(static_cast<size_t>(plan->labelCount), 1);
    for (size_t i = 0; i < ranks.size(); ++i)
        for (size_t d = 0; d < ranks[i]; ++d) {
            int64_t& extent = extents[static_cast<size_t>(plan->labels[i][d])];
            extent = std::max(extent, cost.inputs[i][d]);
        }
    return static_cast<double>(ranks.size()) * static_cast<double>(elementCount(extents));
}

}  // namespace

STROBE_OPS(einsum) {
    OpDefinition op;
    op.name = "Einsum";
    op.family = OpFamily::MatMul;
    op.minInputs = 1;
    op.maxInputs = OpDefinition::kVariadic;
    op.attributes = {{"equation", AttributeKind::String, true}};
    op.infer = inferEinsum;
    op.flops = einsumFlops;
    registry.add(std::move(op));
}

}  // namespace strobe
