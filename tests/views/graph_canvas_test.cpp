#include "views/widgets/graph_canvas.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>

#include "tests/views/generated_graphs.h"

using strobe::GraphCanvas;
using strobe::GraphScene;
using strobe::GraphScenePtr;

namespace {

GraphScenePtr networkScene(int nodes) {
    return std::make_shared<const GraphScene>(strobe::testing::makeNetworkScene(nodes));
}

QPoint middleOf(const GraphCanvas& canvas, int64_t id) {
    return canvas.nodeRect(id).center().toPoint();
}

}  // namespace

class GraphCanvasTest : public QObject {
    Q_OBJECT

private slots:
    void init() {
        m_canvas = std::make_unique<GraphCanvas>();
        m_canvas->setAnimated(false);
        m_canvas->resize(800, 600);
        m_canvas->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_canvas.get()));
        m_canvas->setScene(networkScene(60));
        QVERIFY(m_canvas->waitForLayout());
    }

    void clickSelectsAndSaysSo() {
        GraphCanvas& canvas = *m_canvas;
        QSignalSpy spy(&canvas, &GraphCanvas::selectionChanged);
        canvas.reveal(1010);
        QTest::mouseClick(&canvas, Qt::LeftButton, {}, middleOf(canvas, 1010));
        QCOMPARE(spy.count(), 1);
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1010});
        // The background clears.
        QTest::mouseClick(&canvas, Qt::LeftButton, {}, QPoint(4, 4));
        QVERIFY(canvas.selection().empty());
    }

    void controlClickTogglesAndShiftDragSelectsAnArea() {
        GraphCanvas& canvas = *m_canvas;
        canvas.zoomToFit();
        QTest::mouseClick(&canvas, Qt::LeftButton, {}, middleOf(canvas, 1001));
        QTest::mouseClick(&canvas, Qt::LeftButton, Qt::ControlModifier, middleOf(canvas, 1002));
        QCOMPARE(canvas.selection(), (GraphCanvas::Ids{1001, 1002}));
        QTest::mouseClick(&canvas, Qt::LeftButton, Qt::ControlModifier, middleOf(canvas, 1001));
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1002});
        QTest::mousePress(&canvas, Qt::LeftButton, Qt::ShiftModifier, QPoint(2, 2));
        QTest::mouseMove(&canvas, QPoint(400, 300));
        QTest::mouseMove(&canvas, QPoint(797, 597));
        QTest::mouseRelease(&canvas, Qt::LeftButton, Qt::ShiftModifier, QPoint(797, 597));
        QCOMPARE(canvas.selection().size(), size_t{60});
    }

    void dragPansAndWheelZoomsAtThePointer() {
        GraphCanvas& canvas = *m_canvas;
        canvas.zoomOneToOne();
        canvas.reveal(1010);
        const QPointF before = canvas.nodeRect(1010).center();
        QTest::mousePress(&canvas, Qt::LeftButton, {}, QPoint(100, 100));
        QTest::mouseMove(&canvas, QPoint(140, 130));
        QTest::mouseRelease(&canvas, Qt::LeftButton, {}, QPoint(140, 130));
        const QPointF moved = canvas.nodeRect(1010).center();
        QCOMPARE((moved - before).toPoint(), QPoint(40, 30));
        QVERIFY(canvas.selection().empty());
        QWheelEvent wheel(moved, canvas.mapToGlobal(moved), {}, QPoint(0, 120), Qt::NoButton, Qt::NoModifier,
                          Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(&canvas, &wheel);
        QVERIFY(canvas.zoomFactor() > 1.1);
        QVERIFY((canvas.nodeRect(1010).center() - moved).manhattanLength() < 1.0);
    }

    void keysZoomTravelAndLeaveAltAlone() {
        GraphCanvas& canvas = *m_canvas;
        canvas.setFocus();
        QTest::keyClick(&canvas, Qt::Key_Backspace, Qt::ShiftModifier);
        QCOMPARE(canvas.zoomFactor(), 1.0);
        QTest::keyClick(&canvas, Qt::Key_Up, Qt::ShiftModifier);
        QVERIFY(canvas.zoomFactor() > 1.0);
        canvas.setSelection({1000}, true);
        QTest::keyClick(&canvas, Qt::Key_Down);
        QCOMPARE(canvas.selection().size(), size_t{1});
        const int64_t below = canvas.selection().front();
        QVERIFY(below != 1000);
        QTest::keyClick(&canvas, Qt::Key_Up);
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1000});
        QKeyEvent alt(QEvent::KeyPress, Qt::Key_Left, Qt::AltModifier);
        QCoreApplication::sendEvent(&canvas, &alt);
        QVERIFY(!alt.isAccepted());
        QTest::keyClick(&canvas, Qt::Key_Escape);
        QVERIFY(canvas.selection().empty());
    }

    void searchStepsThroughHitsAndWraps() {
        GraphCanvas& canvas = *m_canvas;
        canvas.setSearchHits({1005, 1050, 999'999});
        canvas.nextSearchHit();
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1005});
        canvas.nextSearchHit();
        canvas.nextSearchHit();
        QCOMPARE(canvas.currentSearchHit(), 0);
        canvas.previousSearchHit();
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1050});
        QVERIFY(QRectF(canvas.rect()).contains(canvas.nodeRect(1050).center()));
    }

    void groupsFoldAndUnfold() {
        GraphCanvas& canvas = *m_canvas;
        QVERIFY(canvas.groupPaths().contains("model.0/block1"));
        QSignalSpy spy(&canvas, &GraphCanvas::groupsChanged);
        canvas.setGroupCollapsed("model.0/block1", true);
        QVERIFY(canvas.waitForLayout());
        QCOMPARE(spy.count(), 1);
        QVERIFY(canvas.nodeRect(1009).isEmpty());
        QVERIFY(!canvas.nodeRect(1001).isEmpty());
        canvas.expandAll();
        QVERIFY(canvas.waitForLayout());
        QVERIFY(!canvas.nodeRect(1009).isEmpty());
    }

    void newChipsKeepViewAndLayout() {
        GraphCanvas& canvas = *m_canvas;
        canvas.setSelection({1020}, true);
        const QRectF before = canvas.nodeRect(1020);
        auto timed = std::make_shared<GraphScene>(*canvas.scene());
        for (auto& node : timed->nodes) node.chip = "1.23 ms";
        canvas.setScene(timed);
        QVERIFY(!canvas.isLayoutRunning());
        QCOMPARE(canvas.nodeRect(1020), before);
        QCOMPARE(canvas.selection(), GraphCanvas::Ids{1020});
    }

    void replacingASceneCancelsTheOldLayout() {
        GraphCanvas& canvas = *m_canvas;
        QSignalSpy spy(&canvas, &GraphCanvas::layoutFinished);
        canvas.setScene(networkScene(10'000));
        canvas.setScene(networkScene(80));
        QVERIFY(canvas.waitForLayout());
        QTest::qWait(100);
        QCOMPARE(spy.count(), 1);
        QVERIFY(!canvas.nodeRect(1079).isEmpty());
        canvas.setScene(nullptr);
        QVERIFY(canvas.selection().empty());
    }

    void colouringWaitsForTheLayoutOfItsScene() {
        GraphCanvas& canvas = *m_canvas;
        canvas.collapseToDepth(1);
        QVERIFY(canvas.waitForLayout());
        int asked = 0, foreign = 0;  // members that a scene of so many nodes does not have
        const auto colouringFor = [&](size_t nodes) {
            strobe::GraphColouring colouring;
            colouring.fills.assign(nodes, Qt::red);
            colouring.groupFill = [&, nodes](const std::vector<int>& members) {
                ++asked;
                for (const int member : members) foreign += static_cast<size_t>(member) >= nodes ? 1 : 0;
                return QColor(Qt::blue);
            };
            colouring.groupChip = [fill = colouring.groupFill](const std::vector<int>& members) {
                return fill(members).name();
            };
            return colouring;
        };
        canvas.setColouring(colouringFor(60));
        const QImage before = canvas.grab().toImage();
        canvas.setScene(networkScene(20));
        canvas.setColouring(colouringFor(20));
        QVERIFY(canvas.isLayoutRunning());
        QVERIFY(canvas.grab().toImage() == before);  // the old picture in its own colours
        QVERIFY(!canvas.toImage(true).isNull() && !canvas.thumbnail({64, 32}).isNull());
        QVERIFY(asked > 0);
        QVERIFY(canvas.waitForLayout());
        canvas.grab();
        QCOMPARE(foreign, 0);
    }

    void theWholeOfADeepGraphFitsAndItsMarksAreHit() {
        GraphCanvas& canvas = *m_canvas;
        canvas.setScene(networkScene(10'000));
        QVERIFY(canvas.waitForLayout(60000));
        canvas.zoomToFit();
        QVERIFY(canvas.nodeRect(1000).top() >= 0);
        QVERIFY2(canvas.nodeRect(10'999).bottom() <= canvas.height(), "the end of the graph is out of sight");
        // The last node painted there is hit, though its true size is a fraction of a pixel.
        QTest::mouseClick(&canvas, Qt::LeftButton, {}, middleOf(canvas, 10'999));
        QCOMPARE(canvas.selection().size(), size_t{1});
        QVERIFY(canvas.selection().front() > 10'900);
    }

    void exportsAndSaysWhyNot() {
        GraphCanvas& canvas = *m_canvas;
        const QTemporaryDir folder;
        QString error;
        QVERIFY(canvas.exportPng(folder.filePath("graph.png"), true, &error));
        QVERIFY(canvas.exportSvg(folder.filePath("graph.svg"), &error));
        const QImage image(folder.filePath("graph.png"));
        QVERIFY(image.height() > image.width());
        QVERIFY(!canvas.exportSvg("/nowhere/graph.svg", &error));
        QVERIFY(error.contains("/nowhere/graph.svg"));
    }

private:
    std::unique_ptr<GraphCanvas> m_canvas;
};

QTEST_MAIN(GraphCanvasTest)
#include "graph_canvas_test.moc"
