// Base of the tests of the window: one window on a session of its own for each test, and what users do with it.
#pragma once

#include <QLabel>
#include <QMessageBox>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <memory>

#include "app/gui/action_list.h"
#include "app/gui/page_docks.h"
#include "tests/app/gui_support.h"
#include "tests/app/window_user.h"
#include "views/models/build_index.h"
#include "views/pages/graph/graph_page.h"
#include "views/widgets/graph_canvas.h"

namespace strobe::testing {

class WindowTest : public QObject {
    Q_OBJECT

protected:
    std::unique_ptr<WindowFixture> m_fixture;

    MainWindow& window() { return m_fixture->window(); }
    WorkbenchContext& context() { return window().context(); }
    GraphCanvas& canvas() { return window().graphPage().canvas(); }
    void show() {
        window().resize(1400, 900);
        window().show();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
    }
    void openSample() {
        window().openPath(WindowFixture::samplePath());
        QVERIFY(QTest::qWaitFor([&] { return context().model() && canvas().scene(); }, 10000));
        QVERIFY(canvas().waitForLayout());
    }
    void key(Qt::Key which, Qt::KeyboardModifiers modifiers = Qt::NoModifier) { QTest::keyClick(&canvas(), which, modifiers); }
    void buildQuickly() {
        Settings settings = m_fixture->session().settings();
        settings.builder.optimizationLevel = 0;
        settings.profileMs = 50;
        m_fixture->session().setSettings(settings, "test");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
    }
    void waitForStage(GraphStage stage) {
        QVERIFY(QTest::qWaitFor([&] { return window().graphPage().stage() == stage; }));
        QTest::qWait(50);
        QVERIFY(canvas().waitForLayout());
    }
    /// Builds the sample and selects a fused convolution of the engine.
    void selectALayer() {
        show();
        openSample();
        buildQuickly();
        waitForStage(GraphStage::Engine);
        const CompiledGraph& graph = context().currentBuild()->engine->graph();
        for (size_t i = 0; i < graph.layers.size(); ++i)
            if (graph.network.layer(graph.layers[i].layer).program && graph.network.layer(graph.layers[i].layer).op->name == "Conv") return select(static_cast<int>(i));
        QFAIL("no fused convolution");
    }
    void selectALayerNamed(const std::string& name) {
        const CompiledGraph& graph = context().currentBuild()->engine->graph();
        for (size_t i = 0; i < graph.layers.size(); ++i)
            if (graph.network.layer(graph.layers[i].layer).name == name) return select(static_cast<int>(i));
        QFAIL("the layer is gone");
    }
    void select(int layer) { context().selectLayer({GraphStage::Engine, context().currentBuild()->id, layer}, "test"); }
    const Layer& selectedLayer() { return *context().index()->layer(*context().selection().layer); }
    QToolButton* inspectorButton(const char* name) { return window().docks().page("inspectorPage")->findChild<QToolButton*>(name); }
    /// Answers the next message box with a button, from inside its event loop.
    void answer(QMessageBox::StandardButton button) {
        QTimer::singleShot(200, this, [button] {
            if (auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget())) box->button(button)->click();
        });
    }

    QString note() { return window().findChild<QLabel*>("statusNote")->text(); }
    /// Waits until it runs.
    void beginLongBuild() {
        Settings settings = m_fixture->session().settings();
        settings.builder.optimizationLevel = 5;
        settings.builder.timingCachePath.clear();
        settings.profileMs = 20000;
        m_fixture->session().setSettings(settings, "test");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(QTest::qWaitFor([&] { return window().findChild<QWidget*>("jobProgress")->isVisible(); }));
    }

protected slots:
    void init() { m_fixture = std::make_unique<WindowFixture>(); }
    void cleanup() { m_fixture.reset(); }
};

}  // namespace strobe::testing
