// Two builds side by side as the Compare page shows them: rows by ONNX node and the figures of its first lines. Plain values, any thread.
#pragma once

#include <QString>
#include <QStringList>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sessions/session.h"

namespace strobe {

// Names that a Comparison refers to by index.
struct CompareNames {
    QStringList nodes;             // ONNX nodes
    QStringList layersA, layersB;  // CompiledGraph::layers of each engine
};
CompareNames compareNames(const Build& a, const Build& b);

struct CompareRow {
    QString title;  // the node's name, or of several the first with how many more
    QStringList nodes, layersA, layersB;
    std::vector<int> provenance;
    int layerA = -1, layerB = -1;                    // first of each; −1: absent
    double secondsA = 0, secondsB = 0, errorSeconds = 0;
    bool isSignificant = false;
    std::optional<TensorDifference> difference;
    bool isFirstDiverging = false;
    bool isReformat = false;  // conversions of what the nodes computed, not their work

    double delta() const { return secondsB - secondsA; }
};

struct CompareTable {
    std::vector<CompareRow> rows;
    bool hasTimes = false, hasAccuracy = false;
    double failDb = 0;  // a row with a lower SNR has diverged; of the comparison
};
using CompareTablePtr = std::shared_ptr<const CompareTable>;
CompareTablePtr makeCompareTable(const Comparison& comparison, const CompareNames& names, bool hasTimes);

// One figure of the headline: "Latency", A, B, and what the change means.
struct CompareFigure {
    QString name, a, b, change;
    enum class Verdict : uint8_t { None, Better, Worse } verdict = Verdict::None;
};
// `comparison` may be null: then only what the builds say by themselves.
std::vector<CompareFigure> compareFigures(const Build& a, const Build& b, const Comparison* comparison);

// The answer in one line, and what it rests on: "BF16 is 1.86× as fast", "1.890 ms ± 0.009 against 3.512 ms ± 0.012".
struct CompareAnswer {
    QString headline, detail;
    CompareFigure::Verdict verdict = CompareFigure::Verdict::None;
    bool isDoubtful = false;  // neither good nor bad: to be looked at
    QString brief = {};       // of speedAnswer, where both names stand already: "1.86× as fast"; empty without times
};
// As measured in turn where `comparison` (may be null) did; else from each build's own profile, if these may be compared.
CompareAnswer speedAnswer(const Build& a, const Build& b, const Comparison* comparison);
// Does accuracy hold? What judge() (profiler/accuracy_verdict.h) says, in words. `comparison` may be null.
CompareAnswer accuracyAnswer(const Comparison* comparison);
// "BF16 against FP32, on 360 samples of digits_heldout.npz".
QString compareSubject(const Build& a, const Build& b, const Comparison* comparison);

// How many times as fast B is; nullopt without times of both.
struct Speedup {
    double ratio = 1;
    bool isSignificant = false;  // more than noise: by the rounds, else by the 95 % interval
};
std::optional<Speedup> speedup(const Build& a, const Build& b, const Comparison* comparison);

}  // namespace strobe
