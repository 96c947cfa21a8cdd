#include <QAbstractItemModelTester>
#include <QTest>
#include <cmath>
#include <numeric>

#include "tests/views/sample_results.h"
#include "views/models/build_label.h"
#include "views/models/compare_table_model.h"
#include "views/models/display_text.h"
#include "views/models/job_table_model.h"
#include "views/models/layer_group_model.h"
#include "views/models/layer_table_model.h"
#include "views/models/problem_table_model.h"
#include "views/models/settings_text.h"
#include "views/widgets/table_roles.h"

using namespace strobe;
using namespace strobe::testing;

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::Fatal;

LayerTablePtr standardTable() {
    return makeLayerTable(*makeProfile(standardLayers()), standardFacts(), makeNodes(6));
}

QString text(const QAbstractItemModel& model, int row, int column) {
    return model.index(row, column).data().toString();
}

QStringList columnTexts(const QAbstractItemModel& model, int column) {
    QStringList texts;
    for (int row = 0; row < model.rowCount(); ++row) texts << text(model, row, column);
    return texts;
}

}  // namespace

class TableModelsTest : public QObject {
    Q_OBJECT

private slots:
    void layersInExecutionOrderWithUnitsInTheHeader() {
        LayerTableModel model;
        QAbstractItemModelTester tester(&model, kFatal);
        model.setTable(standardTable());
        QCOMPARE(model.rowCount(), 4);
        QCOMPARE(model.headerData(LayerTableModel::Time, Qt::Horizontal).toString(), QString("Time (ms)"));
        QCOMPARE(columnTexts(model, LayerTableModel::Time), (QStringList{"5.00", "3.00", "1.50", "0.500"}));
        QCOMPARE(columnTexts(model, LayerTableModel::Share), (QStringList{"50.0", "30.0", "15.0", "5.0"}));
        QCOMPARE(columnTexts(model, LayerTableModel::Cumulative), (QStringList{"50.0", "80.0", "95.0", "100"}));
        QCOMPARE(text(model, 0, LayerTableModel::Op), QString("Conv + Relu"));
        QCOMPARE(text(model, 0, LayerTableModel::FlopRate), QString("100"));
        QCOMPARE(text(model, 3, LayerTableModel::FlopRate), QString("–"));
        QVERIFY(model.index(0, LayerTableModel::Nodes).data(Qt::ToolTipRole).toString().contains("node_1"));
        model.setTable(nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

    void microsecondsWhenAllIsFast() {
        LayerTableModel model;
        model.setTable(makeLayerTable(*makeProfile({{"a", "Add", "fp32", 0.042, {0}}}), {}, {}));
        QCOMPARE(model.headerData(LayerTableModel::Time, Qt::Horizontal).toString(), QString("Time (µs)"));
        QCOMPARE(text(model, 0, LayerTableModel::Time), QString("42.0"));
        QCOMPARE(model.index(0, LayerTableModel::Time).data(kSortRole).toDouble(), 42.0);
    }

    void spreadOfAnOlderSessionIsUnknownAndSortsLast() {
        auto profile = std::make_shared<Profile>(*makeProfile(standardLayers()));
        for (const size_t unknown : {0u, 2u}) profile->layers[unknown].milliseconds.p25 = profile->layers[unknown].milliseconds.p75 = std::nan("");
        profile->layers[3].milliseconds.p75 *= 1.1;
        LayerTableModel model;
        model.setTable(makeLayerTable(*profile, standardFacts(), makeNodes(6)));
        QCOMPARE(text(model, 0, LayerTableModel::Spread), QString("–"));
        QVERIFY(!model.index(0, LayerTableModel::Spread).data(kSortRole).isValid());
        const QString tip = model.index(0, LayerTableModel::Spread).data(Qt::ToolTipRole).toString();
        QVERIFY2(tip.contains("5.00") && !tip.contains("spread"), qPrintable(tip));
        LayerFilterProxy proxy(model);
        proxy.sort(LayerTableModel::Spread, Qt::DescendingOrder);
        QCOMPARE(columnTexts(proxy, LayerTableModel::Spread).mid(2), (QStringList{"–", "–"}));
        QCOMPARE(text(proxy, 0, LayerTableModel::Name), QString("flatten"));
    }

    void latencySaysItsSpreadWhereItIsKnown() {
        Statistics latency = makeProfile(standardLayers())->latency;
        QCOMPARE(latencyText(latency).replace(QChar(0x00a0), ' '), QString("10.20 ms ± 0.04 (spread 1.5 %)"));
        latency.p25 = latency.p75 = std::nan("");
        QCOMPARE(latencyText(latency).replace(QChar(0x00a0), ' '), QString("10.20 ms ± 0.04"));
    }

    void referenceKernelsAreMarked() {
        LayerTableModel model;
        model.setTable(standardTable());
        QVERIFY(model.index(2, LayerTableModel::Tactic).data(Qt::ForegroundRole).isValid());
        QVERIFY(!model.index(1, LayerTableModel::Tactic).data(Qt::ForegroundRole).isValid());
        QVERIFY(model.index(2, LayerTableModel::Tactic).data(Qt::ToolTipRole).toString().contains("reference kernel"));
    }

    void aLayerSaysWhyItHasItsPrecision() {
        QVERIFY(!standardTable()->hasPrecisionNotes);
        auto facts = standardFacts();
        facts[1].precisionNote = "stays fp32 to keep the accuracy limit of 3 %";
        const auto table = makeLayerTable(*makeProfile(standardLayers()), facts, makeNodes(6));
        QVERIFY(table->hasPrecisionNotes);
        LayerTableModel model;
        model.setTable(table);
        QCOMPARE(text(model, 1, LayerTableModel::PrecisionNote), facts[1].precisionNote);
        QCOMPARE(model.index(1, LayerTableModel::Precision).data(Qt::ToolTipRole).toString(), facts[1].precisionNote);
        LayerFilterProxy proxy(model);
        proxy.setFilter(LayerFilter::parse("why:limit"));
        QCOMPARE(columnTexts(proxy, LayerTableModel::Name), QStringList{text(model, 1, LayerTableModel::Name)});
    }

    void headlineNamesTheHeaviestKind() {
        QCOMPARE(layersHeadline(*standardTable()).replace(QChar(0x00a0), ' '), QString("80.0 % of the layers’ 10.0 ms is in 2 convolutions, 1 of them depthwise"));
        auto facts = standardFacts();
        facts[0].kind = "depthwise convolution";
        const auto table = makeLayerTable(*makeProfile(standardLayers()), facts, {});
        QCOMPARE(layersHeadline(*table).replace(QChar(0x00a0), ' '), QString("80.0 % of the layers’ 10.0 ms is in 2 depthwise convolutions"));
        QCOMPARE(layersHeadline({}), QString());
        LayerGroupModel groups;
        groups.setGroups(table, {0, 1, 2, 3}, LayerGrouping::Op);
        QCOMPARE(text(groups, 0, LayerGroupModel::Share), QString("80.0"));
    }

    void whatLiesInPlaceHasNoRate() {
        auto profile = std::make_shared<Profile>(*makeProfile(standardLayers()));
        profile->layers[3].bytes = 0;
        const auto table = makeLayerTable(*profile, standardFacts(), makeNodes(6));
        LayerTableModel model;
        model.setTable(table);
        QCOMPARE(text(model, 3, LayerTableModel::ByteRate), QString("–"));
        QVERIFY(model.index(3, LayerTableModel::ByteRate).data(Qt::ToolTipRole).toString().contains("in place"));
        LayerGroupModel groups;
        groups.setGroups(table, {3}, LayerGrouping::Op);
        QCOMPARE(text(groups, 0, LayerGroupModel::ByteRate), QString("–"));
    }

    void timesOfABusyMachineAreMarked() {
        auto scattered = std::make_shared<Profile>(*makeProfile({{"a", "Conv", "bf16", 5, {}}}));
        scattered->latency.p75 = scattered->latency.median * 1.5;
        const Build good = makeBuild(1, "FP32", makeProfile({{"a", "Conv", "fp32", 10, {}}}), 1);
        const Build busy = makeBuild(2, "BF16", scattered, 1);
        QCOMPARE(markedTime(good, "10 ms"), QString("10 ms"));
        QVERIFY(doubtText(good).isEmpty() && doubtText(makeBuild(3, "FP16", nullptr, 1)).isEmpty());
        QCOMPARE(markedTime(busy, "5 ms"), QString("! 5 ms"));
        QVERIFY(buildLabel(busy).contains(" · ! 5.10"));
        QVERIFY2(doubtText(busy).startsWith("Measured on a busy machine: single runs scatter"), qPrintable(doubtText(busy)));
        QCOMPARE(compareFigures(good, busy, nullptr).front().b.left(2), QString("! "));
    }

    void runsWithClocksAreToldWhereTheyTookLonger() {
        auto slow = std::make_shared<Profile>(*makeProfile(standardLayers()));
        QCOMPARE(clocksText(makeBuild(1, "FP32", slow, 1)), QString());
        slow->instrumented.median = 5 * slow->latency.median;
        const QString text = clocksText(makeBuild(1, "FP32", slow, 1)).replace(QChar(0x00a0), ' ');
        QCOMPARE(text, QString("FP32: a run took 51.0 ms with layer clocks, 10.2 ms without"));
    }

    void filters_data() {
        QTest::addColumn<QString>("filter");
        QTest::addColumn<QStringList>("names");
        const QString conv = "/model.0/conv/Conv", depthwise = "/model.1/dw/Conv", softmax = "/head/attn/Softmax", flatten = "flatten";
        QTest::newRow("none") << "" << QStringList{conv, depthwise, softmax, flatten};
        QTest::newRow("word") << "CONV" << QStringList{conv, depthwise, flatten};  // the tactic of flatten is onednn.conv
        QTest::newRow("op") << "op:conv" << QStringList{conv, depthwise};
        QTest::newRow("op is whole") << "op:Con" << QStringList{};
        QTest::newRow("wildcard") << "op:*s*" << QStringList{softmax, flatten};
        QTest::newRow("time in ms") << "time>2.9" << QStringList{conv, depthwise};
        QTest::newRow("time in µs") << "time<=500us" << QStringList{flatten};
        QTest::newRow("share") << "share>=15%" << QStringList{conv, depthwise, softmax};
        QTest::newRow("precision") << "precision:bf16" << QStringList{conv};
        QTest::newRow("several") << "op:Conv precision:fp32 time>1ms" << QStringList{depthwise};
        QTest::newRow("not") << "-op:Conv -scope:head" << QStringList{flatten};
        QTest::newRow("scope with what is inside") << "scope:head" << QStringList{softmax};
        QTest::newRow("scope is no part of one") << "scope:attn" << QStringList{};
        QTest::newRow("scope by wildcard") << "scope:*/conv" << QStringList{conv};
        QTest::newRow("no scope") << "scope:" << QStringList{flatten};
        QTest::newRow("node") << "node:node_3" << QStringList{softmax};
        QTest::newRow("quoted") << "\"attn/Soft\"" << QStringList{softmax};
        QTest::newRow("half typed counts for nothing") << "time> op:Conv" << QStringList{conv, depthwise};
    }
    void filters() {
        QFETCH(QString, filter);
        QFETCH(QStringList, names);
        LayerTableModel model;
        model.setTable(standardTable());
        LayerFilterProxy proxy(model);
        QAbstractItemModelTester tester(&proxy, kFatal);
        proxy.setFilter(LayerFilter::parse(filter));
        QCOMPARE(columnTexts(proxy, LayerTableModel::Name), names);
    }

    void filterErrorsSayWhatThereIs() {
        QVERIFY(LayerFilter::parse("colour:red").error().contains("precision"));
        QVERIFY(LayerFilter::parse("weight>3").error().contains("time"));
        QVERIFY(LayerFilter::parse("time>abc").error().contains("time>1"));
        QVERIFY(LayerFilter::parse("conv op:Conv time>1ms").error().isEmpty());
    }

    void layersSortByTheNumberNotTheText() {
        LayerTableModel model;
        model.setTable(makeLayerTable(*makeProfile({{"a", "Add", "fp32", 9, {}}, {"b", "Add", "fp32", 10, {}}, {"c", "Add", "fp32", 0.1, {}}}), {}, {}));
        LayerFilterProxy proxy(model);
        proxy.sort(LayerTableModel::Time, Qt::DescendingOrder);
        QCOMPARE(columnTexts(proxy, LayerTableModel::Name), (QStringList{"b", "a", "c"}));
        proxy.sort(LayerTableModel::Index, Qt::AscendingOrder);
        QCOMPARE(columnTexts(proxy, LayerTableModel::Name), (QStringList{"a", "b", "c"}));
    }

    void countersShowOnlyWhereTheyAre() {
        auto profile = std::make_shared<Profile>(*makeProfile(standardLayers()));
        profile->layers[1].counters = CounterValues{2e6, 5e6, 3e3};
        LayerTableModel model;
        model.setTable(makeLayerTable(*profile, {}, {}));
        QVERIFY(model.table()->hasCounters);
        QCOMPARE(text(model, 1, LayerTableModel::InstructionsPerCycle), QString("2.50"));
        QCOMPARE(text(model, 0, LayerTableModel::Cycles), QString("–"));
        QVERIFY(!model.index(0, LayerTableModel::Cycles).data(kSortRole).isValid());
    }

    void groupsAddUp() {
        LayerGroupModel model;
        QAbstractItemModelTester tester(&model, kFatal);
        const LayerTablePtr table = standardTable();
        model.setGroups(table, {0, 1, 2, 3}, LayerGrouping::Op);
        QCOMPARE(columnTexts(model, LayerGroupModel::Key), (QStringList{"Conv", "Softmax", "Reshape"}));
        QCOMPARE(text(model, 0, LayerGroupModel::Layers), QString("2"));
        QCOMPARE(text(model, 0, LayerGroupModel::Time), QString("8.00"));
        QCOMPARE(text(model, 0, LayerGroupModel::Share), QString("80.0"));
        QCOMPARE(model.filterFor(0), QString("op:Conv"));
        model.setGroups(table, {1, 2, 3}, LayerGrouping::Precision);
        QCOMPARE(columnTexts(model, LayerGroupModel::Key), (QStringList{"FP32"}));
        QCOMPARE(text(model, 0, LayerGroupModel::Time), QString("5.00"));
        model.setGroups(table, {0, 1, 2, 3}, LayerGrouping::Scope);
        QCOMPARE(columnTexts(model, LayerGroupModel::Key), (QStringList{"model.0", "model.1", "head", "(no scope)"}));
        QCOMPARE(model.filterFor(1), QString("scope:model.1"));
    }

    void groupsLeadToTheirOwnLayers() {
        const LayerTablePtr table = makeLayerTable(*makeProfile({{"/a.1/x/Conv", "Conv", "fp32", 1, {}},
                                                                 {"/a.10/x/Conv", "Conv", "fp32", 2, {}},
                                                                 {"/a.1/y/Add", "Add", "fp32", 3, {}},
                                                                 {"/a.10/Add", "Add", "fp32", 5, {}},
                                                                 {"/b [1]/x/Conv", "Conv", "fp32", 4, {}},
                                                                 {"plain", "Add", "fp32", 6, {}}}),
                                                   {}, {});
        std::vector<int> every(table->rows.size());
        std::iota(every.begin(), every.end(), 0);
        std::vector<int> onlyA{0, 1, 2, 3};  // cut one level deeper, with a.10 beside a.10/x
        for (const auto& rows : {every, onlyA}) {
            LayerGroupModel model;
            model.setGroups(table, rows, LayerGrouping::Scope);
            QVERIFY(model.rowCount() >= 4);
            for (int row = 0; row < model.rowCount(); ++row) {
                const LayerFilter filter = LayerFilter::parse(model.filterFor(row));
                std::vector<int> led;
                for (const int at : rows)
                    if (filter.matches(table->rows[static_cast<size_t>(at)])) led.push_back(at);
                QVERIFY2(led == model.group(row).rows, qPrintable(model.filterFor(row)));
            }
        }
    }

    void scopesOfNames() {
        QCOMPARE(scopeOf("/model.2/cv1/conv/Conv"), QString("model.2/cv1/conv"));
        QCOMPARE(scopeOf("encoder/dense"), QString("encoder"));
        QCOMPARE(scopeOf("/a/b/c"), QString("a/b"));
        QCOMPARE(scopeOf("/Conv"), QString());
        QCOMPARE(scopeOf("Conv_12"), QString());
    }

    void comparedRows() {
        CompareTableModel model;
        QAbstractItemModelTester tester(&model, kFatal);
        const CompareNames names{{"n0", "n1", "n2", "n3", "n4", "n5"}, {"a0", "a1", "a2", "a3"}, {"b0", "b1", "b2", "b3", "b4"}};
        model.setTable(makeCompareTable(makeComparison(), names, true), "FP32", "BF16");
        QCOMPARE(text(model, 0, CompareTableModel::Title), QString("n0 +1"));
        QCOMPARE(text(model, 2, CompareTableModel::LayersB), QString("b2 +2"));
        QCOMPARE(columnTexts(model, CompareTableModel::Delta), (QStringList{"−3.00", "+0.0100", "+0.600"}));
        QCOMPARE(model.index(0, CompareTableModel::Delta).data(kDeltaRole).toDouble(), -1.0);
        QVERIFY(!model.index(1, CompareTableModel::Delta).data(kDeltaRole).isValid());  // within the noise
        QCOMPARE(columnTexts(model, CompareTableModel::Snr), (QStringList{"52.0", "–", "12.0"}));
        QVERIFY(model.row(2).isFirstDiverging);
        QVERIFY(text(model, 2, CompareTableModel::Title).startsWith(QString::fromUtf8("▶")));
        QCOMPARE(model.rowOfNodes({4}), 2);
        QCOMPARE(model.rowOfNodes({99}), -1);
    }

    void rowsWithoutAValueSortLast() {
        CompareTableModel model;
        model.setTable(makeCompareTable(makeComparison(), {}, true), "A", "B");
        SortProxy proxy;
        proxy.setSourceModel(&model);
        proxy.sort(CompareTableModel::Snr, Qt::AscendingOrder);
        QCOMPARE(columnTexts(proxy, CompareTableModel::Snr), (QStringList{"12.0", "52.0", "–"}));
        proxy.sort(CompareTableModel::Snr, Qt::DescendingOrder);
        QCOMPARE(columnTexts(proxy, CompareTableModel::Snr), (QStringList{"52.0", "12.0", "–"}));
    }

    void withoutProfilesThereAreNoTimes() {
        CompareTableModel model;
        model.setTable(makeCompareTable(makeComparison(), {}, false), "A", "B");
        QCOMPARE(text(model, 0, CompareTableModel::TimeA), QString("–"));
        QVERIFY(!model.index(0, CompareTableModel::Delta).data(kDeltaRole).isValid());
    }

    void headlineOfAComparison() {
        const Build a = makeBuild(1, "FP32", makeProfile({{"a", "Conv", "fp32", 10, {}}}), 4 << 20);
        const Build b = makeBuild(2, "BF16", makeProfile({{"a", "Conv", "bf16", 5, {}}}), 2 << 20);
        const Comparison comparison = makeComparison();
        const CompareAnswer speed = speedAnswer(a, b, nullptr);
        QCOMPARE(speed.headline, QString::fromUtf8("BF16 is 2.00× as fast"));
        QCOMPARE(speed.verdict, CompareFigure::Verdict::Better);
        QVERIFY(speed.detail.contains("by itself"));
        QCOMPARE(speedAnswer(b, a, nullptr).headline, QString::fromUtf8("FP32 takes 2.00× as long"));
        QCOMPARE(speedAnswer(b, a, nullptr).verdict, CompareFigure::Verdict::Worse);
        QVERIFY(speedAnswer(a, a, nullptr).headline.contains("equally fast"));
        QVERIFY(speedAnswer(a, makeBuild(3, "FP16", nullptr, 1), nullptr).headline.contains("No times"));
        const Build c =
            makeBuild(4, "FP16", makeProfile({{"a", "Conv", "fp16", 9.98, {}}}), 2 << 20);  // less than the noise
        QCOMPARE(speedAnswer(a, c, nullptr).brief, QString("equally fast"));
        QCOMPARE(speed.brief, QString::fromUtf8("2.00× as fast"));
        QCOMPARE(speedAnswer(b, a, nullptr).brief, QString::fromUtf8("2.00× as long"));
        QCOMPARE(speedAnswer(a, makeBuild(3, "FP16", nullptr, 1), nullptr).brief, QString());
        const auto figures = compareFigures(a, b, &comparison);
        const auto find = [&](const QString& name) {
            return *std::find_if(figures.begin(), figures.end(), [&](const CompareFigure& f) { return f.name == name; });
        };
        QCOMPARE(find("Latency").verdict, CompareFigure::Verdict::Better);
        QVERIFY(find("Latency").change.startsWith(QString::fromUtf8("2.00×")));
        QCOMPARE(find("Engine size").change.replace(QChar(0x00a0), ' '), QString("−50.0 %"));
        QCOMPARE(find("First to diverge").a, QString("/head/attn/Softmax"));
        QCOMPARE(find("Label accuracy").verdict, CompareFigure::Verdict::Worse);
        QVERIFY(find("Label accuracy").change.startsWith("−0.600"));
    }

    void speedMeasuredOnABusyMachineIsDoubtful() {
        const Build a = makeBuild(1, "FP32", makeProfile({{"a", "Conv", "fp32", 10, {}}}), 4 << 20);
        auto scattered = std::make_shared<Profile>(*makeProfile({{"a", "Conv", "bf16", 5, {}}}));
        scattered->latency.p75 = scattered->latency.median * 1.5;
        const Build b = makeBuild(2, "BF16", scattered, 2 << 20);
        for (const CompareAnswer& answer : {speedAnswer(a, b, nullptr), speedAnswer(b, a, nullptr)}) {
            QVERIFY(answer.isDoubtful);
            QCOMPARE(answer.verdict, CompareFigure::Verdict::None);
            QCOMPARE(answer.headline, QString("Speed is doubtful"));
            QCOMPARE(answer.brief, QString("doubtful"));
            QVERIFY2(answer.detail.contains("BF16 was measured on a busy machine"), qPrintable(answer.detail));
        }
    }

    void speedIsThatOfRoundsInTurnWhereThereAreAny() {
        const Build a = makeBuild(1, "FP32", makeProfile({{"a", "Conv", "fp32", 10, {}}}), 4 << 20);
        auto elsewhere = std::make_shared<Profile>(*makeProfile({{"a", "Conv", "bf16", 5, {}}}));
        elsewhere->shapes = {{"x", {1, 3, 8, 8}}};
        const Build b = makeBuild(2, "BF16", elsewhere, 2 << 20);
        const CompareAnswer apart = speedAnswer(a, b, nullptr);
        QVERIFY(apart.isDoubtful);
        QVERIFY2(apart.detail.contains(QString::fromUtf8("BF16 was measured at 1×3×8×8")), qPrintable(apart.detail));
        QCOMPARE(compareFigures(a, b, nullptr).front().verdict, CompareFigure::Verdict::None);
        Comparison comparison = makeComparison();
        SpeedInTurn speed;
        speed.a.median = 6;
        speed.b.median = 4;
        speed.rounds = {{1.4, 1}, {1.6, 1}};
        comparison.speed = speed;
        QCOMPARE(speedAnswer(a, b, &comparison).headline, QString::fromUtf8("BF16 is 1.50× as fast"));
        QVERIFY(speedAnswer(a, b, &comparison).detail.contains("in turn"));
        QCOMPARE(compareFigures(a, b, &comparison).front().verdict, CompareFigure::Verdict::Better);
        comparison.speed->rounds = {{0.98, 1}, {1.1, 1}};
        QVERIFY(speedAnswer(a, b, &comparison).headline.contains("equally fast"));
        comparison.speed->rounds = {{0.9, 1}, {1.6, 1}};
        QVERIFY(speedAnswer(a, b, &comparison).isDoubtful);
        comparison.speed->rounds = {{1.1, 1}, {2.2, 1}};
        QVERIFY(speedAnswer(a, b, &comparison).isDoubtful);
    }

    void accuracyHoldsByLabelsElseByTheWorstOutput() {
        Comparison comparison;
        QVERIFY(accuracyAnswer(nullptr).headline.contains("unknown"));
        const auto answer = [&](double snrDb, double labelsA, double labelsB, const char* file = "real.npz") {
            auto report = std::make_shared<AccuracyReport>();
            TensorDifference output;
            output.tensor = "scores";
            output.maxAbs = 0.5;
            output.maxRel = 0.02;
            output.snrDb = snrDb;
            report->outputs = {output};
            report->labelAccuracyReference = labelsA;
            report->labelAccuracyCandidate = labelsB;
            report->inputFile = file;
            report->coarsest = DataType::BFloat16;
            comparison.accuracy = report;
            return accuracyAnswer(&comparison);
        };
        QCOMPARE(answer(45, -1, -1).verdict, CompareFigure::Verdict::Better);
        QVERIFY(answer(25, -1, -1).isDoubtful);
        QVERIFY(answer(25, -1, -1).detail.contains("BF16 is asked for 30.0 dB"));
        QCOMPARE(answer(8, -1, -1).verdict, CompareFigure::Verdict::Worse);
        QVERIFY(answer(8, -1, -1).detail.contains("scores"));
        QVERIFY(answer(8, -1, -1, "").isDoubtful);  // on noise
        QCOMPARE(answer(45, -1, -1, "").verdict, CompareFigure::Verdict::Better);
        QCOMPARE(answer(8, 0.98, 0.979).headline, QString("Accuracy holds"));  // labels outweigh distances
        QVERIFY(answer(45, 0.98, 0.97).isDoubtful);
        QCOMPARE(answer(45, 0.98, 0.90).headline, QString("Accuracy drops by 8.00 points"));
        QCOMPARE(answer(45, 0.98, 0.90).verdict, CompareFigure::Verdict::Worse);
    }

    void nonFiniteResultsAreSeenEverywhere() {
        auto report = std::make_shared<AccuracyReport>(*makeAccuracy());
        report->labelAccuracyReference = report->labelAccuracyCandidate = 0.98;
        report->outputs.push_back(report->outputs[0]);
        report->outputs[1].tensor = "boxes";
        for (TensorDifference* d : {&report->outputs[1], &report->layers[0].difference}) {
            d->nonFinite = 3;
            d->snrDb = kNonFiniteDb;
        }
        report->worst = {{4, 0.002, "boxes", 3}, {17, 0.0031, "scores", 0}};
        Comparison comparison = makeComparison();
        comparison.accuracy = report;
        const CompareAnswer answer = accuracyAnswer(&comparison);
        QCOMPARE(answer.verdict, CompareFigure::Verdict::Worse);
        QCOMPARE(answer.detail, QString("boxes: 3 elements are NaN or infinite in one build only"));
        CompareTableModel rows;
        rows.setTable(makeCompareTable(comparison, {}, true), "A", "B");
        QVERIFY(rows.row(0).isFirstDiverging);
        QCOMPARE(text(rows, 0, CompareTableModel::Snr), QString::fromUtf8("−∞"));
        OutputTableModel outputs;
        outputs.setReport(report);
        QVERIFY(outputs.hasNonFinite());
        WorstSamplesModel samples;
        samples.setReport(report);
        QCOMPARE(text(samples, 0, WorstSamplesModel::MaxAbs), QString::fromUtf8("NaN, ∞"));
    }

    void reformatsNameWhatTheyFollow() {
        Comparison comparison = makeComparison();
        comparison.rows.push_back({{2}, {}, {5}, 0, 0.1, 0.01, -1, true});
        comparison.rows.push_back({{}, {}, {6}, 0, 0.1, 0.01, -1, true});
        CompareNames names;
        for (const char* node : {"a", "b", "c", "d", "e", "f"}) names.nodes << node;
        for (const char* layer : {"0", "1", "2", "3", "4", "5", "reformat x to bf16"}) names.layersB << layer;
        const auto table = makeCompareTable(comparison, names, true);
        QCOMPARE(table->rows[1].title, QString("c"));
        QCOMPARE(table->rows[3].title, QString("reformat after c"));
        QCOMPARE(table->rows[4].title, QString("reformat x to bf16"));
    }

    void outputsAndSamples() {
        OutputTableModel outputs;
        WorstSamplesModel samples;
        QAbstractItemModelTester outputTester(&outputs, kFatal), sampleTester(&samples, kFatal);
        outputs.setReport(makeAccuracy());
        samples.setReport(makeAccuracy());
        QCOMPARE(text(outputs, 0, OutputTableModel::Tensor), QString("scores"));
        QCOMPARE(text(outputs, 0, OutputTableModel::Cosine), QString("0.999950"));
        QCOMPARE(text(outputs, 0, OutputTableModel::Top1), QString("99.5"));
        QVERIFY(outputs.hasScores());
        QCOMPARE(columnTexts(samples, WorstSamplesModel::Sample), (QStringList{"17", "4"}));
        outputs.setReport(nullptr);
        QVERIFY(!outputs.hasScores());
    }

    void cosineKeepsItsNines() {
        QCOMPARE(formatCosine(1), QString("1"));
        QCOMPARE(formatCosine(0.5), QString("0.500"));
        QCOMPARE(formatCosine(0.99987), QString("0.99987"));
        QCOMPARE(formatCosine(-0.5), QString("−0.500"));
    }

    void aMessageBeginsWithACapitalUnlessItBeginsWithAName() {
        QCOMPARE(asSentence("the model leaves"), QString("The model leaves"));
        QCOMPARE(asSentence("onednn.conv is slow"), QString("onednn.conv is slow"));
        QCOMPARE(asSentence("'x' is"), QString("'x' is"));
        QCOMPARE(asSentence("input0 has"), QString("input0 has"));
        QCOMPARE(asSentence(""), QString());
    }

    void problemsWorstFirstAndFiltered() {
        ProblemTableModel model;
        QAbstractItemModelTester tester(&model, kFatal);
        model.setProblems({{ProblemSeverity::Info, "import", {}, "", "an opset was lifted", ""},
                           {ProblemSeverity::Warning, "build FP32", {1, 2}, "", "slow", "update"},
                           {ProblemSeverity::Error, "import", {}, "Foo_1", "op 'Foo' is not supported", "export without it"}},
                          {"n0", "n1", "n2"});
        QCOMPARE(columnTexts(model, ProblemTableModel::Severity), (QStringList{"Error", "Warning", "Note"}));
        QCOMPARE(columnTexts(model, ProblemTableModel::Where), (QStringList{"Foo_1", "n1 +1", "whole model"}));
        QCOMPARE(model.count(ProblemSeverity::Warning), 1);
        QCOMPARE(model.rowOf(ProblemEntry(model.problem(2))), 2);
        QCOMPARE(model.rowOf({}), -1);
        QCOMPARE(columnTexts(model, ProblemTableModel::Message),
                 (QStringList{"Op 'Foo' is not supported", "Slow", "An opset was lifted"}));
        QVERIFY(isProblemOf(model.problem(0), {}, "Foo_1"));
        QVERIFY(!isProblemOf(model.problem(0), {1}, "other"));
        QVERIFY(isProblemOf(model.problem(1), {2}, "other"));
        QVERIFY(!isProblemOf(model.problem(1), {0, 3}, ""));
        QVERIFY(!isProblemOf(model.problem(2), {}, ""));
        ProblemFilterProxy proxy(model);
        proxy.setShown(ProblemSeverity::Warning, false);
        QCOMPARE(columnTexts(proxy, ProblemTableModel::Severity), (QStringList{"Error", "Note"}));
    }

    void jobsNewestFirst() {
        JobTableModel model;
        QAbstractItemModelTester tester(&model, kFatal);
        JobInfo done{1, "Open model.onnx", JobState::Succeeded, "", 1, 0, 0.25, {}};
        JobInfo failed{2, "Build FP32", JobState::Failed, "", 0.5, -1, 2, invalidModel("node 'x': no")};
        JobInfo running{3, "Build BF16", JobState::Running, "timing conv (3 of 9)", 0.4, 12, 3, {}};
        model.setJobs({done, failed, running});
        QCOMPARE(columnTexts(model, JobTableModel::State), (QStringList{"Running", "Failed", "Done"}));
        QCOMPARE(text(model, 1, JobTableModel::Detail), QString("node 'x': no"));
        QVERIFY(text(model, 0, JobTableModel::Detail).contains("timing conv (3 of 9)"));
        running.state = JobState::Succeeded;
        model.setJobs({done, failed, running});
        QCOMPARE(text(model, 0, JobTableModel::State), QString("Done"));
    }

    void shapesAreReadAsPeopleWriteThem() {
        const Dims wanted{1, 3, 640, 640};
        for (const char* written : {"1×3×640×640", "1x3x640x640", " 1, 3, 640, 640 ", "1 3 640 640", "1*3*640*640"})
            QVERIFY2(*parseDims(QString::fromUtf8(written)) == wanted, written);
        QCOMPARE(shapeText(wanted), QString::fromUtf8("1×3×640×640"));
        QVERIFY(!parseDims("1×three"));
        QVERIFY(!parseDims("1×"));
        QCOMPARE(parseDims("")->size(), size_t{0});
    }
};

QTEST_GUILESS_MAIN(TableModelsTest)
#include "table_models_test.moc"
