#include <QCoreApplication>
#include <QSignalSpy>
#include <QTest>
#include <set>

#include "tests/views/sample_session.h"
#include "views/models/workbench_context.h"

using namespace strobe;

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
        context.back();
        QVERIFY(context.selection().isEmpty());
        QVERIFY(!context.canGoBack());
        context.selectNodes({1}, "test");
        QVERIFY(!context.canGoForward());
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
