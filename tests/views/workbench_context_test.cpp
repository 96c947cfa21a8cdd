#include <QCoreApplication>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <set>

#include "tests/views/sample_session.h"
#include "views/models/workbench_context.h"

using namespace strobe;

namespace {

/// The engine's layer that holds an ONNX node.
LayerRef layerOf(const Build& build, int node) {
    const CompiledGraph& graph = build.engine->graph();
    for (size_t i = 0; i < graph.layers.size(); ++i) {
        const Layer& layer = graph.network.layer(graph.layers[i].layer);
        if (layer.op->name != "Reformat" && std::count(layer.provenance.begin(), layer.provenance.end(), node) != 0) return {GraphStage::Engine, build.id, static_cast<int>(i)};
    }
    return {};
}

}  // namespace

class WorkbenchContextTest : public QObject {
    Q_OBJECT

private slots:
    void changesArriveQueuedAndOnce() {
        testing::SampleSession session;
        WorkbenchContext context(*session);
        QSignalSpy models(&context, &WorkbenchContext::modelChanged), documents(&context, &WorkbenchContext::documentChanged);
        session.open();
        session.open();
        QCOMPARE(models.count(), 0);  // nothing before the event loop turns
        QVERIFY(QTest::qWaitFor([&] { return models.count() > 0; }));
        QCoreApplication::processEvents();
        QCOMPARE(models.count(), 1);
        QCOMPARE(documents.count(), 1);
        QCOMPARE(context.model(), session->model());
    }

    void newestBuildBecomesCurrentAndItsRemovalFallsBack() {
        testing::SampleSession session;
        WorkbenchContext context(*session);
        session.open();
        const auto first = session.build();
        const auto second = session.build();
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == second; }));
        context.setCurrentBuild(first->id);
        QCOMPARE(context.currentBuild(), first);
        session->removeBuild(first->id);
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == second; }));
        session->removeBuild(second->id);
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == nullptr; }));
        QVERIFY(context.index()->network(GraphStage::Engine) == nullptr);
    }

    void aBuildMeasuredAgainIsShownWithItsNewTimes() {
        testing::SampleSession session;
        WorkbenchContext context(*session);
        session.open();
        const auto first = session.build(), second = session.build();
        QVERIFY(session->compareNow(first->id, second->id, {}).hasValue());
        QVERIFY(QTest::qWaitFor([&] { return context.currentComparison() != nullptr; }));
        const auto compared = context.currentComparison();
        QVERIFY(!context.currentBuild()->profile);
        QVERIFY(session->profileNow(second->id, {}).hasValue());
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild()->profile != nullptr; }));
        QCOMPARE(context.currentBuild()->id, second->id);
        QVERIFY(context.currentComparison() && context.currentComparison() != compared);
        QCOMPARE(context.currentComparison()->id, compared->id);
    }

    void historyWalksBackAndForward() {
        testing::SampleSession session;
        session.open();
        WorkbenchContext context(*session);
        QSignalSpy spy(&context, &WorkbenchContext::selectionChanged);
        context.selectNodes({5, 3, 3}, "test");
        QCOMPARE(context.selection().nodes, (std::vector<int>{3, 5}));
        context.selectNodes({3, 5}, "elsewhere");  // the same things
        QCOMPARE(spy.count(), 1);
        context.selectTensor("image", "test");
        context.back();
        QCOMPARE(context.selection().nodes.size(), size_t{2});
        QVERIFY(context.canGoForward());
        context.forward();
        QCOMPARE(context.selection().tensor, QString("image"));
        context.back();
        QCOMPARE(context.selection().origin, QString());  // so that the page where it was made shows it too
        context.back();
        QVERIFY(context.selection().isEmpty());
        QVERIFY(!context.canGoBack());
        context.selectNodes({1}, "test");
        QVERIFY(!context.canGoForward());
    }

    void errorsAreThoseOfTheCurrentBuild() {
        testing::SampleSession session;
        session.open();
        WorkbenchContext context(*session);
        const auto reference = session.build(), candidate = session.build();
        const auto compared = session->compareNow(reference->id, candidate->id, {});
        QVERIFY2(compared.hasValue(), compared.status().message().c_str());
        QVERIFY(QTest::qWaitFor([&] { return context.currentComparison() == *compared; }));
        QCOMPARE(context.comparisonOfCurrentBuild(), *compared);
        const auto third = session.build();
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == third; }));
        QVERIFY(!context.comparisonOfCurrentBuild());  // compared with nothing, though the pages show a comparison
        QCOMPARE(context.currentComparison(), *compared);
        const auto other = session->compareNow(reference->id, third->id, {});
        QVERIFY(QTest::qWaitFor([&] { return context.currentComparison() == *other; }));
        QCOMPARE(context.comparisonOfCurrentBuild(), *other);
        context.setCurrentBuild(candidate->id);
        QCOMPARE(context.comparisonOfCurrentBuild(), *compared);  // its own, whichever the pages show
        context.setCurrentBuild(reference->id);
        QVERIFY(!context.comparisonOfCurrentBuild());  // the errors are not its own
    }

    void everyEngineLayerLeadsToItsNodesAndBack() {
        testing::SampleSession session;
        session.open();
        const auto build = session.build();
        const BuildIndex index(session->model(), build);
        const auto& layers = build->engine->graph().layers;
        size_t fusedNodes = 0;
        for (size_t i = 0; i < layers.size(); ++i) {
            const LayerRef ref{GraphStage::Engine, build->id, static_cast<int>(i)};
            if (index.layer(ref)->op->name == "Reformat") continue;
            const auto nodes = index.nodesOf(ref);
            QVERIFY(!nodes.empty());
            fusedNodes = std::max(fusedNodes, nodes.size());
            const auto back = index.layersOf(GraphStage::Engine, nodes);
            QVERIFY(std::find(back.begin(), back.end(), ref) != back.end());
            const auto parsed = index.counterparts(ref, GraphStage::Parsed);
            for (const LayerRef& each : parsed) QCOMPARE(index.layer(each)->provenance.size(), size_t{1});
            const auto fused = index.counterparts(ref, GraphStage::Fused);
            QCOMPARE(fused.size(), size_t{1});
            QCOMPARE(index.counterparts(fused.front(), GraphStage::Engine), std::vector<LayerRef>{ref});
        }
        QVERIFY(fusedNodes >= 3);  // convolution, normalisation and activation in one
    }

    void selectedLayerStaysTheSameInANewBuild() {
        testing::SampleSession session;
        session.open();
        WorkbenchContext context(*session);
        const auto fused = session.build();
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == fused; }));
        const LayerRef conv = layerOf(*fused, 3);  // stem/conv
        const std::string name = context.index()->layer(conv)->name;
        const auto nodes = context.index()->nodesOf(conv);
        QVERIFY(nodes.size() >= 3);  // with its normalisation and activation
        context.selectLayer(conv, "layersPage");
        QSignalSpy announced(&context, &WorkbenchContext::selectionChanged);

        const auto again = session.build();
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == again; }));
        QVERIFY(context.selection().layer.has_value());
        QCOMPARE(context.selection().layer->build, again->id);
        QCOMPARE(context.index()->layer(*context.selection().layer)->name, name);
        QCOMPARE(context.selection().nodes, nodes);
        QCOMPARE(context.selection().origin, QString());  // so that the page where it was made shows it too
        QCOMPARE(announced.count(), 1);

        Settings apart = session->settings();
        for (const PassRun& pass : fused->report.passes.runs)
            apart.builder.disabledPasses.insert(pass.name);
        session->setSettings(apart, "no fusion");
        const auto loose = session.build();
        QVERIFY(QTest::qWaitFor([&] { return context.currentBuild() == loose; }));
        QVERIFY(loose->engine->graph().layers.size() > fused->engine->graph().layers.size());
        const auto shared = context.index()->nodesOf(*context.selection().layer);
        QVERIFY(std::includes(nodes.begin(), nodes.end(), shared.begin(), shared.end()) && !shared.empty());

        context.setCurrentBuild(fused->id);
        QCOMPARE(context.index()->layer(*context.selection().layer)->name, name);
        context.back();
        QVERIFY(context.selection().isEmpty());
        context.forward();
        QCOMPARE(*context.selection().layer, conv);
        for (const auto& build : {fused, again, loose}) session->removeBuild(build->id);
        QVERIFY(QTest::qWaitFor([&] { return !context.currentBuild(); }));
        QVERIFY(!context.selection().layer);
        QCOMPARE(context.selection().nodes, nodes);
    }

    void referencesToOtherBuildsAreRefused() {
        testing::SampleSession session;
        session.open();
        const auto build = session.build();
        const BuildIndex index(session->model(), build);
        QVERIFY(index.layer({GraphStage::Engine, build->id + 1, 0}) == nullptr);
        QVERIFY(index.layer({GraphStage::Engine, build->id, 100000}) == nullptr);
        QVERIFY(index.layer({GraphStage::Parsed, 0, -1}) == nullptr);
        QVERIFY(index.nodesOf({GraphStage::Fused, build->id, 100000}).empty());
    }
};

QTEST_GUILESS_MAIN(WorkbenchContextTest)
#include "workbench_context_test.moc"
