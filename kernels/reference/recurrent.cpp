#include <algorithm>
#include <cmath>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

/// An activation with its attributes: f(alpha, beta, x).
struct Activation {
    double (*function)(double alpha, double beta, double x) = nullptr;
    double alpha = 0.0, beta = 0.0;
    double operator()(double x) const { return function(alpha, beta, x); }
};

struct ActivationRow {
    const char* name;
    bool takesAlpha, takesBeta;
    Activation standard;
};

double sigmoid(double, double, double x) {
    return 1.0 / (1.0 + std::exp(-x));
}
double tangent(double, double, double x) {
    return std::tanh(x);
}

const ActivationRow kActivations[] = {
    {"Sigmoid", false, false, {sigmoid}},
    {"Tanh", false, false, {tangent}},
    {"Relu", false, false, {[](double, double, double x) { return x > 0.0 ? x : 0.0; }}},
    {"Affine", true, true, {[](double a, double b, double x) { return a * x + b; }, 1.0, 0.0}},
    {"LeakyRelu", true, false, {[](double a, double, double x) { return x < 0.0 ? a * x : x; }, 0.01}},
    {"ThresholdedRelu", true, false, {[](double a, double, double x) { return x > a ? x : 0.0; }, 1.0}},
    {"ScaledTanh", true, true, {[](double a, double b, double x) { return a * std::tanh(b * x); }, 1.0, 1.0}},
    {"HardSigmoid",
     true,
     true,
     {[](double a, double b, double x) { return std::clamp(a * x + b, 0.0, 1.0); }, 0.2, 0.5}},
    {"Elu", true, false, {[](double a, double, double x) { return x < 0.0 ? a * std::expm1(x) : x; }, 1.0}},
    {"Softsign", false, false, {[](double, double, double x) { return x / (1.0 + std::abs(x)); }}},
    {"Softplus", false, false, {[](double, double, double x) {
         return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
     }}},
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// The activations of all directions, in order; alphas and betas go to those that take one, in order.
Result<std::vector<Activation>> activationsOf(const Attributes& attributes, const std::vector<std::string>& standard,
                                              int64_t directions) {
    const AttributeValue* value = attributes.find("activations");
    std::vector<std::string> names = standard;
    if (directions == 2) names.insert(names.end(), standard.begin(), standard.end());
    if (const auto* given = value ? std::get_if<std::vector<std::string>>(value) : nullptr;
        given && given->size() >= names.size())
        names = *given;
    const std::vector<float> alphas = attributes.getFloats("activation_alpha"),
                             betas = attributes.getFloats("activation_beta");
    size_t alpha = 0, beta = 0;
    std::vector<Activation> result;
    for (const std::string& name : names) {
        const auto* row = std::find_if(std::begin(kActivations), std::end(kActivations),
                                       [&](const ActivationRow& r) { return lower(r.name) == lower(name); });
        if (row == std::end(kActivations))
            return invalidModel("attribute 'activations' holds '" + name + "', which is no activation of ONNX");
        result.push_back(row->standard);
        if (row->takesAlpha && alpha < alphas.size()) result.back().alpha = static_cast<double>(alphas[alpha++]);
        if (row->takesBeta && beta < betas.size()) result.back().beta = static_cast<double>(betas[beta++]);
    }
    return result;
}

/// All that a recurrent layer holds, as doubles.
struct Recurrent {
    int64_t sequence, batch, input, hidden, directions, gates;
    bool batchFirst;
    std::vector<double> x, w, r, bias, lengths, initialH, initialC, peepholes;
    std::vector<Activation> activations;
    double clip;
    std::vector<double> y, lastH, lastC;

    size_t xAt(int64_t s, int64_t b) const {
        return static_cast<size_t>((batchFirst ? b * sequence + s : s * batch + b) * input);
    }
    size_t yAt(int64_t s, int64_t d, int64_t b) const {
        return static_cast<size_t>(
            (batchFirst ? (b * sequence + s) * directions + d : (s * directions + d) * batch + b) * hidden);
    }
    size_t stateAt(int64_t d, int64_t b) const {
        return static_cast<size_t>((batchFirst ? b * directions + d : d * batch + b) * hidden);
    }
    double clipped(double value) const { return clip > 0.0 ? std::clamp(value, -clip, clip) : value; }
    const Activation& activation(int64_t d, size_t index) const {
        return activations[static_cast<size_t>(d) * (activations.size() / static_cast<size_t>(directions)) + index];
    }
    double wBias(int64_t d, int64_t row) const {
        return bias.empty() ? 0.0 : bias[static_cast<size_t>(d * 2 * gates * hidden + row)];
    }
    double rBias(int64_t d, int64_t row) const {
        return bias.empty() ? 0.0 : bias[static_cast<size_t>((d * 2 + 1) * gates * hidden + row)];
    }

    /// Row `row` of direction d's W times the input at (s, b).
    double fromInput(int64_t d, int64_t row, int64_t s, int64_t b) const {
        double sum = 0.0;
        pollCancel(input + hidden);  // the state's row comes with it
        const size_t wRow = static_cast<size_t>((d * gates * hidden + row) * input), from = xAt(s, b);
        for (size_t i = 0; i < static_cast<size_t>(input); ++i) sum += w[wRow + i] * x[from + i];
        return sum;
    }
    double fromState(int64_t d, int64_t row, const std::vector<double>& h) const {
        double sum = 0.0;
        const size_t rRow = static_cast<size_t>((d * gates * hidden + row) * hidden);
        for (size_t i = 0; i < h.size(); ++i) sum += r[rRow + i] * h[i];
        return sum;
    }
    double preActivation(int64_t d, int64_t gate, int64_t unit, int64_t s, int64_t b,
                         const std::vector<double>& h) const {
        const int64_t row = gate * hidden + unit;
        return fromInput(d, row, s, b) + fromState(d, row, h) + wBias(d, row) + rBias(d, row);
    }
};

Result<Recurrent> readRecurrent(const Problem& problem, const RunArguments& arguments, int64_t gates,
                                const std::vector<std::string>& standard) {
    const Attributes& attributes = *problem.attributes;
    Recurrent n{};
    n.batchFirst = attributes.getInt("layout", 0) == 1;
    const Dims& x = inputDims(arguments, 0);
    n.sequence = x[n.batchFirst ? 1 : 0];
    n.batch = x[n.batchFirst ? 0 : 1];
    n.input = x[2];
    n.hidden = inputDims(arguments, 2)[2];
    n.directions = inputDims(arguments, 1)[0];
    n.gates = gates;
    std::vector<double>* const slots[] = {&n.x,       &n.w,        &n.r,        &n.bias,
                                          &n.lengths, &n.initialH, &n.initialC, &n.peepholes};
    for (int i = 0; i < 8; ++i) *slots[i] = readNumbers(problem, arguments, i);
    for (double length : n.lengths)
        if (length < 0.0 || length > static_cast<double>(n.sequence))
            return invalidArgument("sequence length " + std::to_string(static_cast<int64_t>(length)) +
                                   " is outside [0, " + std::to_string(n.sequence) + "]");
    STROBE_ASSIGN(n.activations, activationsOf(attributes, standard, n.directions));
    n.clip = static_cast<double>(attributes.getFloat("clip", 0.0f));
    n.y.assign(static_cast<size_t>(n.sequence * n.directions * n.batch * n.hidden), 0.0);
    n.lastH.assign(static_cast<size_t>(n.directions * n.batch * n.hidden), 0.0);
    n.lastC = n.lastH;
    return n;
}

std::vector<double> startState(const std::vector<double>& initial, size_t at, int64_t hidden) {
    if (initial.empty()) return std::vector<double>(static_cast<size_t>(hidden), 0.0);
    const auto first = initial.begin() + static_cast<std::ptrdiff_t>(at);
    return {first, first + hidden};
}

/// Runs step(direction, s, b, h, c) along every sequence and writes the outputs. Steps past a sequence's length give
/// zeros.
template <class Step>
Status runSteps(Recurrent& n, const Problem& problem, const RunArguments& arguments, Step step) {
    const bool reverseOnly = problem.attributes->getString("direction", "forward") == "reverse";
    for (int64_t d = 0; d < n.directions; ++d)
        for (int64_t b = 0; b < n.batch; ++b) {
            const size_t state = n.stateAt(d, b);
            std::vector<double> h = startState(n.initialH, state, n.hidden),
                                c = startState(n.initialC, state, n.hidden);
            const int64_t length =
                n.lengths.empty() ? n.sequence : static_cast<int64_t>(n.lengths[static_cast<size_t>(b)]);
            for (int64_t i = 0; i < length; ++i) {
                const int64_t s = d == 1 || reverseOnly ? length - 1 - i : i;
                step(d, s, b, h, c);
                std::copy(h.begin(), h.end(), n.y.begin() + static_cast<std::ptrdiff_t>(n.yAt(s, d, b)));
            }
            std::copy(h.begin(), h.end(), n.lastH.begin() + static_cast<std::ptrdiff_t>(state));
            std::copy(c.begin(), c.end(), n.lastC.begin() + static_cast<std::ptrdiff_t>(state));
        }
    writeNumbers(problem, arguments, 0, n.y);
    writeNumbers(problem, arguments, 1, n.lastH);
    writeNumbers(problem, arguments, 2, n.lastC);
    return Status::ok();
}

/// Gates in the order input, output, forget, cell; peepholes input, output, forget.
Status runLstm(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(Recurrent n, readRecurrent(problem, arguments, 4, {"Sigmoid", "Tanh", "Tanh"}));
    const bool coupled = problem.attributes->getBool("input_forget", false);
    return runSteps(
        n, problem, arguments, [&](int64_t d, int64_t s, int64_t b, std::vector<double>& h, std::vector<double>& c) {
            const Activation &f = n.activation(d, 0), &g = n.activation(d, 1), &out = n.activation(d, 2);
            const auto peephole = [&](int64_t which, size_t unit) {
                return n.peepholes.empty() ? 0.0 : n.peepholes[static_cast<size_t>((d * 3 + which) * n.hidden) + unit];
            };
            std::vector<double> nextH(h.size());
            for (size_t unit = 0; unit < h.size(); ++unit) {
                const auto gate = [&](int64_t which) {
                    return n.preActivation(d, which, static_cast<int64_t>(unit), s, b, h);
                };
                const double in = f(n.clipped(gate(0) + peephole(0, unit) * c[unit]));
                const double forget = coupled ? 1.0 - in : f(n.clipped(gate(2) + peephole(2, unit) * c[unit]));
                c[unit] = forget * c[unit] + in * g(n.clipped(gate(3)));
                nextH[unit] = f(n.clipped(gate(1) + peephole(1, unit) * c[unit])) * out(c[unit]);
            }
            h = nextH;
        });
}

/// Gates in the order update, reset, hidden.
Status runGru(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(Recurrent n, readRecurrent(problem, arguments, 3, {"Sigmoid", "Tanh"}));
    const bool linearBeforeReset = problem.attributes->getBool("linear_before_reset", false);
    return runSteps(
        n, problem, arguments, [&](int64_t d, int64_t s, int64_t b, std::vector<double>& h, std::vector<double>&) {
            const Activation &f = n.activation(d, 0), &g = n.activation(d, 1);
            std::vector<double> update(h.size()), reset(h.size()), resetH(h.size()), next(h.size());
            for (size_t unit = 0; unit < h.size(); ++unit) {
                update[unit] = f(n.clipped(n.preActivation(d, 0, static_cast<int64_t>(unit), s, b, h)));
                reset[unit] = f(n.clipped(n.preActivation(d, 1, static_cast<int64_t>(unit), s, b, h)));
                resetH[unit] = reset[unit] * h[unit];
            }
            for (size_t unit = 0; unit < h.size(); ++unit) {
                const int64_t row = 2 * n.hidden + static_cast<int64_t>(unit);
                const double recurrent = linearBeforeReset ? reset[unit] * (n.fromState(d, row, h) + n.rBias(d, row))
                                                           : n.fromState(d, row, resetH) + n.rBias(d, row);
                const double candidate = g(n.clipped(n.fromInput(d, row, s, b) + n.wBias(d, row) + recurrent));
                next[unit] = (1.0 - update[unit]) * candidate + update[unit] * h[unit];
            }
            h = next;
        });
}

Status runRnn(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(Recurrent n, readRecurrent(problem, arguments, 1, {"Tanh"}));
    return runSteps(
        n, problem, arguments, [&](int64_t d, int64_t s, int64_t b, std::vector<double>& h, std::vector<double>&) {
            std::vector<double> next(h.size());
            for (size_t unit = 0; unit < h.size(); ++unit)
                next[unit] = n.activation(d, 0)(n.clipped(n.preActivation(d, 0, static_cast<int64_t>(unit), s, b, h)));
            h = next;
        });
}

}  // namespace

STROBE_REFERENCE(recurrent) {
    addReference(registry, {"LSTM", runLstm, onlyFloats});
    addReference(registry, {"GRU", runGru, onlyFloats});
    addReference(registry, {"RNN", runRnn, onlyFloats});
}

}  // namespace strobe
