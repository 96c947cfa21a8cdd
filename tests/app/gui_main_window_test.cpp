// The window as a user meets it: real mouse and key events on the sample model.
#include <QComboBox>
#include <QDeadlineTimer>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QListWidget>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>
#include <QThread>
#include <QThreadPool>
#include <QToolButton>
#include <QTreeWidget>
#include <QUrl>
#include <atomic>

#include "app/gui/action_list.h"
#include "app/gui/page_docks.h"
#include "tests/app/gui_support.h"
#include "tests/app/odd_models.h"
#include "tests/app/window_user.h"
#include "views/models/display_text.h"
#include "views/models/problem_table_model.h"
#include "views/models/recent_files.h"
#include "views/models/run_shapes.h"
#include "views/models/settings_text.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/inspector/inspector_page.h"
#include "views/pages/session/session_page.h"
#include "views/pages/start/start_page.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/graph_canvas.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/table_view.h"

using namespace strobe;
using strobe::testing::EventWatch;
using strobe::testing::WindowFixture;
using strobe::testing::WindowUser;

class MainWindowTest : public QObject {
    Q_OBJECT

private:
    std::atomic<bool> m_isSaveHeld = false;
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

    /// A save to `path` that waits for a job which does not obey, until m_isSaveHeld is false.
    void beginLongSave(const QString& path) {
        show();
        openSample();
        Session& session = m_fixture->session();
        m_isSaveHeld = true;
        session.jobs().submit("Hold", [this](JobContext&) {
            for (const QDeadlineTimer end(10000); m_isSaveHeld && !end.hasExpired();) QThread::msleep(1);
            return Status::ok();
        });
        window().actions()["precisionBF16"].trigger();
        WindowUser(window()).answerFileDialog(path, [&] { key(Qt::Key_S, Qt::ControlModifier); });
        QTRY_VERIFY(window().isWindowModified());
    }

private slots:
    void init() { m_fixture = std::make_unique<WindowFixture>(); }
    void cleanup() {
        m_isSaveHeld = false;
        m_fixture.reset();
    }

    void sampleOpensByTheStartPageAndShowsItsGraph() {
        show();
        auto* sample = window().startPage().findChild<QPushButton*>("openSample");
        QTest::mouseClick(sample, Qt::LeftButton);
        QVERIFY(QTest::qWaitFor([&] { return canvas().scene() != nullptr; }, 10000));
        QCOMPARE(canvas().scene()->nodes.size(), size_t{77});  // 75 nodes, one input, one output
        QVERIFY(window().windowTitle().startsWith("digits.onnx"));
        QVERIFY(canvas().isVisible());
    }

    void buildShowsLayersAndKeepsTheWindowResponsive() {
        show();
        openSample();
        EventWatch watch;
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
        waitForStage(GraphStage::Engine);
        QVERIFY2(watch.worstMs() <= 100, qPrintable(QString("an event waited %1 ms").arg(watch.worstMs())));
        QVERIFY(context().currentBuild()->profile != nullptr);
        QCOMPARE(window().graphPage().colour(), GraphColour::Time);
        auto& tree = static_cast<SessionPage*>(window().docks().page("sessionPage"))->tree();
        QCOMPARE(tree.topLevelItemCount(), 2);
        QVERIFY(tree.topLevelItem(1)->text(0).contains("FP32"));
    }

    void clickedEngineLayerIsInspectedAndFramesItsNodes() {
        show();
        openSample();
        buildQuickly();
        waitForStage(GraphStage::Engine);
        const auto index = context().index();
        LayerRef fused;
        for (const GraphNode& node : canvas().scene()->nodes)
            if (node.title == "Conv + Relu" && canvas().rect().contains(canvas().nodeRect(node.id).center().toPoint())) {
                fused = {GraphStage::Engine, context().currentBuild()->id, static_cast<int>(node.id)};
                break;
            }
        QTest::mouseClick(&canvas(), Qt::LeftButton, Qt::NoModifier, canvas().nodeRect(fused.index).center().toPoint());
        QCOMPARE(context().selection().layer, std::optional<LayerRef>(fused));
        auto& inspector = *static_cast<InspectorPage*>(window().docks().page("inspectorPage"));
        const QString text = inspector.details().plainText();
        QVERIFY2(text.contains("tactic") && text.contains("Tactics weighed"), qPrintable(text));
        key(Qt::Key_P);
        waitForStage(GraphStage::Parsed);
        QCOMPARE(canvas().selection().size(), index->counterparts(fused, GraphStage::Parsed).size());
        QVERIFY(canvas().selection().size() >= 2);
        key(Qt::Key_E);
        waitForStage(GraphStage::Engine);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{fused.index});
    }

    void selectionGoesBackAndForwardByKeys() {
        show();
        openSample();
        GraphCanvas::Ids clicked;
        for (const GraphNode& node : canvas().scene()->nodes) {
            if (clicked.size() == 2 || !WindowUser::isOnScreen(canvas(), node.id)) continue;
            clicked.push_back(node.id);
            WindowUser(window()).clickNode(canvas(), node.id);
        }
        QCOMPARE(clicked.size(), size_t{2});
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[1]});
        const Selection second = context().selection();
        key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[0]});
        QVERIFY(!context().selection().sameThings(second));
        key(Qt::Key_Right, Qt::AltModifier);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[1]});
        QVERIFY(context().selection().sameThings(second));
        key(Qt::Key_Escape);
        QVERIFY(context().selection().isEmpty());
    }

    void searchStepsThroughHits() {
        show();
        openSample();
        key(Qt::Key_F, Qt::ControlModifier);
        auto& edit = window().graphPage().searchBar().edit();
        QTRY_VERIFY(edit.hasFocus());
        QTest::keyClicks(&edit, "op:MaxPool");
        QTest::keyClick(&edit, Qt::Key_Return);  // searches at once
        QTest::keyClick(&edit, Qt::Key_Return);  // first hit
        QCOMPARE(canvas().currentSearchHit(), 0);
        QCOMPARE(context().selection().nodes.size(), size_t{1});
        QTest::keyClick(&edit, Qt::Key_Escape);
        QCOMPARE(edit.text(), QString());
    }

    void precisionIsChosenUndoneAndRedone() {
        show();
        openSample();
        auto* precisions = window().findChild<SegmentedControl*>("precisions");
        precisions->setFocus();
        QTest::keyClick(precisions, Qt::Key_Right);
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
        QTRY_VERIFY(window().actions()["undo"].isEnabled());
        QTRY_VERIFY(window().isWindowModified());
        key(Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(precisions->current(), 0);
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_COMPARE(precisions->current(), 1);
    }

    void forcedPrecisionBecomesARule() {
        selectALayer();
        WindowUser user(window());
        user.whenMenuChoose("Force BF16");
        user.click(inspectorButton("forcePrecision"));
        const auto rules = m_fixture->session().settings().builder.precisionRules;
        QCOMPARE(rules.size(), size_t{1});
        QCOMPARE(rules.front().pattern, selectedLayer().name);
        QCOMPARE(rules.front().type, DataType::BFloat16);
        QVERIFY(toQString(m_fixture->session().undoLabel()).startsWith("precision of"));
    }

    void tacticsArePinnedAndBannedByMenu() {
        selectALayer();
        WindowUser user(window());
        const auto builder = [&] { return m_fixture->session().settings().builder; };
        const LayerRef ref = *context().selection().layer;
        const std::string layer = selectedLayer().name;
        std::string other;  // neither what was chosen nor declined
        for (const CandidateRecord& record : context().index()->engineLayer(ref)->candidates)
            if (record.declined.empty() && !record.chosen && record.tactic != context().index()->engineLayer(ref)->tactic) other = record.tactic;
        QVERIFY(!other.empty());
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("pinTactic"));
        QCOMPARE(builder().pinnedTactics.at(layer), other);
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        bool ran = false;
        const CompiledGraph& graph = context().currentBuild()->engine->graph();
        for (const EngineLayer& each : graph.layers) ran = ran || (graph.network.layer(each.layer).name == layer && each.tactic == other);
        QVERIFY(ran);
        selectALayerNamed(layer);
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("pinTactic"));  // again: no longer
        QVERIFY(builder().pinnedTactics.empty());
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("banTactic"));
        QCOMPARE(builder().bannedTactics, std::set<std::string>{other});
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("banTactic"));
        QVERIFY(builder().bannedTactics.empty());
    }

    void paletteRunsWhatIsTyped() {
        show();
        openSample();
        WindowUser user(window());
        user.press(Qt::Key_F, Qt::ControlModifier);  // text fields leave Ctrl+K to the window
        QTRY_VERIFY(window().graphPage().searchBar().edit().hasFocus());
        user.press(Qt::Key_K, Qt::ControlModifier);
        auto* palette = window().findChild<CommandPalette*>();
        QTRY_VERIFY(palette->isVisible());
        user.type("prec bf16");
        user.press(Qt::Key_Return);
        QVERIFY(!palette->isVisible());
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
        user.press(Qt::Key_K, Qt::ControlModifier);
        QTRY_VERIFY(palette->isVisible());
        user.press(Qt::Key_Escape);
        QVERIFY(!palette->isVisible());
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
    }

    void pictureOfAGraphIsFiledUnderItsOwnModel() {
        show();
        openSample();
        const QString first = context().model() ? toQString(context().model()->path) : QString();
        const auto thumbnailOf = [&](const QString& path) {
            const RecentFiles kept;  // as they stand in the settings
            for (const RecentFile& file : kept.files())
                if (QFileInfo(file.path) == QFileInfo(path)) return file.thumbnail();
            return QImage();
        };
        QTRY_VERIFY(!thumbnailOf(first).isNull());
        // Another model has arrived, and the canvas reports the old one's layout.
        const QString second = m_fixture->path("second.onnx");
        QVERIFY(testing::writeProblemModel(second.toStdString()));
        bool wasReported = false;
        connect(&context(), &WorkbenchContext::modelChanged, this, [&] {
            wasReported = window().graphPage().shownModel() != context().model();
            emit canvas().layoutFinished();
            QThreadPool::globalInstance()->waitForDone();
            wasReported = wasReported && thumbnailOf(second).isNull();
        });
        window().openPath(second);
        QVERIFY(QTest::qWaitFor([&] { return wasReported; }, 10000));
        QTRY_VERIFY(!thumbnailOf(second).isNull());
        QVERIFY(thumbnailOf(second) != thumbnailOf(first));
    }

    void openBeginsBesideTheLastModel() {
        show();
        const QString copy = m_fixture->path("here.onnx");
        QVERIFY(QFile::copy(WindowFixture::samplePath(), copy));
        window().openPath(copy);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
        const auto folderOfDialog = [&] {
            QString folder;
            WindowUser user(window());
            user.whenUp<QFileDialog>([&](QFileDialog& dialog) {
                folder = dialog.directory().absolutePath();
                dialog.reject();
            });
            key(Qt::Key_O, Qt::ControlModifier);
            return folder;
        };
        QCOMPARE(folderOfDialog(), QFileInfo(copy).absolutePath());
    }

    void aTypedPathOpensInTheFolderInViewToo() {
        show();
        QVERIFY(QDir().mkpath(m_fixture->path("models")));
        const QString first = m_fixture->path("models/first.onnx"), second = m_fixture->path("models/second.onnx");
        for (const QString& copy : {first, second}) QVERIFY(QFile::copy(WindowFixture::samplePath(), copy));
        window().openPath(first);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
        bool isAnswered = false;
        WindowUser user(window());
        user.whenUp<QFileDialog>([&](QFileDialog& dialog) {
            auto* list = dialog.findChild<QListView*>("listView");
            const bool isListed =
                QTest::qWaitFor([&] { return list->model()->rowCount(list->rootIndex()) == 2; }, 5000);
            user.type(second);
            QTest::qWait(100);
            user.press(Qt::Key_Return);
            isAnswered = isListed && QTest::qWaitFor([&] { return !dialog.isVisible(); }, 1000);
            if (!isAnswered) dialog.reject();
        });
        key(Qt::Key_O, Qt::ControlModifier);
        QVERIFY(isAnswered);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_COMPARE(toQString(context().model()->path), second);
    }

    void heldOutDataBesideAModelIsTakenAndUndone() {
        show();
        openSample();
        const auto data = [&] { return toQString(m_fixture->session().settings().inputFile); };
        QTRY_VERIFY(data().endsWith("digits_heldout.npz"));
        QVERIFY(!window().isWindowModified());
        key(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(data(), QString());
        answer(QMessageBox::Discard);  // an undone setting is a change too
        key(Qt::Key_F5);  // the same file: what the user chose stays
        QVERIFY(m_fixture->waitForJobs());
        QCOMPARE(data(), QString());
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QVERIFY(data().endsWith("digits_heldout.npz"));
    }

    void selectionStaysWhenABuildArrivesAndWhenBuildsAreCompared() {
        selectALayer();
        const std::string name = selectedLayer().name;
        const auto nodes = context().selection().nodes;
        window().actions()["precisionBF16"].trigger();
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_COMPARE(context().currentBuild()->settings.builder.precision, PrecisionMode::Bf16);
        waitForStage(GraphStage::Engine);
        QCOMPARE(selectedLayer().name, name);
        QCOMPARE(context().selection().nodes, nodes);
        window().actions()["compare"].trigger();
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(context().currentComparison() != nullptr);
        for (const char* page : {"comparePage", "layersPage", "problemsPage", "comparePage"}) {
            window().docks().show(page, true);
            QTest::qWait(50);
        }
        QCOMPARE(selectedLayer().name, name);
        QCOMPARE(context().selection().nodes, nodes);
        QTRY_COMPARE(canvas().selection(), GraphCanvas::Ids{context().selection().layer->index});
    }

    void aFileThatCannotBeOpenedIsExplained() {
        show();
        window().openPath(m_fixture->path("missing.onnx"));
        QVERIFY(QTest::qWaitFor([&] { return !window().errorShown().isEmpty(); }));
        QVERIFY2(window().errorShown().contains("missing.onnx"), qPrintable(window().errorShown()));
        QVERIFY(context().model() == nullptr);
    }

    void droppedModelOpens() {
        show();
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QFileInfo(WindowFixture::samplePath()).absoluteFilePath())});
        QDragEnterEvent enter(QPoint(100, 100), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(100, 100), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &drop);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
    }

    void cancelEndsABuildQuickly() {
        show();
        openSample();
        Settings settings = m_fixture->session().settings();
        settings.builder.optimizationLevel = 5;
        m_fixture->session().setSettings(settings, "test");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(QTest::qWaitFor([&] { return !m_fixture->session().jobs().isIdle(); }));
        QTest::qWait(300);
        auto* cancel = window().findChild<QWidget*>("jobProgress")->findChild<QPushButton*>();
        QElapsedTimer clock;
        clock.start();
        QTest::mouseClick(cancel, Qt::LeftButton);
        QVERIFY(m_fixture->waitForJobs(5000));
        QVERIFY2(clock.elapsed() <= 200, qPrintable(QString::number(clock.elapsed())));
        QVERIFY(context().currentBuild() == nullptr);
    }

    void escapeCancelsFirstWhereverTheFocusIs_data() {
        QTest::addColumn<QString>("focus");
        QTest::newRow("canvas, with a selection") << QString();
        QTest::newRow("a settings field") << QStringLiteral("inputFile");
        QTest::newRow("the search") << QStringLiteral("graphSearch");
    }
    void escapeCancelsFirstWhereverTheFocusIs() {
        QFETCH(const QString, focus);
        show();
        openSample();
        context().selectNodes({3}, "test");
        beginLongBuild();
        WindowUser user(window());
        QWidget* field = &canvas();
        if (focus == QLatin1String("inputFile")) field = window().findChild<QLineEdit*>("inputFile");
        if (focus == QLatin1String("graphSearch")) field = &window().graphPage().searchBar().edit();
        field->setFocus();
        QTRY_VERIFY(field->hasFocus());
        user.press(Qt::Key_Escape);
        QVERIFY(m_fixture->waitForJobs(5000));
        QVERIFY(context().currentBuild() == nullptr);
        QTRY_VERIFY2(note().contains("cancelled"), qPrintable(note()));
        QVERIFY(!context().selection().isEmpty());
        canvas().setFocus();
        QTRY_VERIFY(!window().actions()["cancel"].isEnabled());
        user.press(Qt::Key_Escape);
        QVERIFY(context().selection().isEmpty());
    }

    void theSameBuildIsNotAskedForTwice() {
        show();
        openSample();
        beginLongBuild();
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY2(note().contains("running already"), qPrintable(note()));
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{2});  // opening, and one build
        window().actions()["precisionBF16"].trigger();
        key(Qt::Key_B, Qt::ControlModifier);
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY2(note().contains("waiting already"), qPrintable(note()));
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{3});
        key(Qt::Key_Escape);
        key(Qt::Key_B, Qt::ControlModifier);  // what was cancelled may be asked for again
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{4});
        key(Qt::Key_Escape);
        QVERIFY(m_fixture->waitForJobs(5000));
    }

    void paletteFindsSettingsAndSaysWhenThereIsNothing() {
        show();
        openSample();
        WindowUser user(window());
        user.press(Qt::Key_K, Qt::ControlModifier);
        auto* palette = window().findChild<CommandPalette*>();
        QTRY_VERIFY(palette->isVisible());
        user.type("zzzz");
        const auto* list = palette->findChild<QListWidget*>();
        QCOMPARE(list->count(), 1);
        QVERIFY2(list->item(0)->text().contains("No command matches"), qPrintable(list->item(0)->text()));
        user.press(Qt::Key_Return);
        QVERIFY(palette->isVisible());
        user.replaceText("input data");
        user.press(Qt::Key_Return);
        QVERIFY(!palette->isVisible());
        auto* field = window().findChild<QLineEdit*>("inputFile");
        QTRY_VERIFY(field->hasFocus());
        QVERIFY(!field->visibleRegion().isEmpty());
    }

    void undoSaysWhatAndShowsWhere() {
        show();
        openSample();
        Settings settings = m_fixture->session().settings();
        settings.seed = 7;
        m_fixture->session().setSettings(settings, "Seed");
        auto* seed = window().findChild<QSpinBox*>("seed");
        QTRY_COMPARE(seed->value(), 7);
        QVERIFY(seed->visibleRegion().isEmpty());  // further down
        key(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(note(), "Undone: seed");
        QTRY_VERIFY(!seed->visibleRegion().isEmpty());
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(note(), "Redone: seed");
    }

    void windowFitsTheScreenAtFirst() {
        const QSize room = window().screen()->availableSize();
        window().show();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
        QTRY_VERIFY(window().frameGeometry().height() <= room.height() &&
                    window().frameGeometry().width() <= room.width());
    }

    void problemsFollowTheSelection() {
        show();
        const QString path = m_fixture->path("problem.onnx");
        QVERIFY(testing::writeProblemModel(path.toStdString()));
        window().openPath(path);
        QVERIFY(QTest::qWaitFor([&] { return context().model() && canvas().scene(); }, 10000));
        auto* table = window().docks().page("problemsPage")->findChild<TableView*>();
        const auto chosen = [&] {
            return table->selectionModel()->selectedRows(ProblemTableModel::Message).value(0).data().toString();
        };
        QCOMPARE(table->model()->rowCount(), 2);
        context().selectNodes({1}, "test");
        QVERIFY2(chosen().startsWith("Op 'DeformableAttention' of domain 'com.example' is not"), qPrintable(chosen()));
        context().selectNodes({0}, "test");  // nothing is wrong with that one
        QCOMPARE(chosen(), QString());
    }

    void docksGetTheirRoomBack() {
        show();
        const auto* inspector = window().findChild<QDockWidget*>("inspectorPageDock");
        QTest::qWait(50);
        const int before = inspector->width();
        window().resize(970, 600);
        QTRY_VERIFY(inspector->width() < before);
        QTest::qWait(50);
        window().resize(1400, 900);
        QTRY_COMPARE(inspector->width(), before);
    }

    void sessionShowsAllRowsOfAFewBuilds() {
        show();
        openSample();
        buildQuickly();
        window().actions()["precisionBF16"].trigger();
        buildQuickly();
        buildQuickly();
        window().actions()["compare"].trigger();
        QVERIFY(m_fixture->waitForJobs());
        auto& tree = static_cast<SessionPage*>(window().docks().page("sessionPage"))->tree();
        QTRY_COMPARE(tree.topLevelItemCount(), 5);
        const auto isWhole = [&] {
            return tree.viewport()->rect().contains(tree.visualItemRect(tree.topLevelItem(4)));
        };
        window().resize(1280, 720);
        QTRY_VERIFY(isWhole());
    }

    void closingAsksWhenSomethingWouldBeLost() {
        show();
        openSample();
        QVERIFY(window().close());  // nothing changed yet
        show();
        buildQuickly();
        answer(QMessageBox::Cancel);
        QVERIFY(!window().close());
        answer(QMessageBox::Discard);
        QElapsedTimer clock;
        clock.start();
        QVERIFY(window().close());
        QVERIFY(clock.elapsed() < 2000);
    }

    void closingAsksWhileASaveWaitsForAnotherJob() {
        show();
        openSample();
        const QString path = m_fixture->path("waits.strobe");
        QVERIFY(m_fixture->session().saveNow(path.toStdString()).isOk());
        const JobId held = m_fixture->session().jobs().submit("Hold", [](JobContext& job) {
            while (!job.cancelToken().isCancelled()) QThread::msleep(1);
            return cancelled();
        });
        key(Qt::Key_S, Qt::ControlModifier);
        answer(QMessageBox::Cancel);
        QVERIFY(!window().close());
        m_fixture->session().jobs().cancel(held);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(window().close());  // saved by now
    }

    void closingWaitsForALongSaveAndDoesNotBeginItAgain() {
        const QString path = m_fixture->path("slow.strobe");
        beginLongSave(path);
        WindowUser user(window());
        QString said;
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.whenUp<QDialog>([&](QDialog& dialog) {
                said = dialog.objectName() + ": " + dialog.findChild<QLabel*>()->text();
                QTest::keyClick(dialog.findChild<QPushButton*>(), Qt::Key_Return);  // once too many cancels nothing
                constexpr int kLongMs = 2200;  // longer than a closing window once waited
                QTimer::singleShot(kLongMs, this, [this] { m_isSaveHeld = false; });
            });
            user.press(Qt::Key_Return);  // Save
        });
        QVERIFY(window().close());
        QCOMPARE(said, QString("jobDialog: Save slow.strobe"));
        QVERIFY(QFileInfo::exists(path));
        int saves = 0;
        for (const JobInfo& job : m_fixture->session().jobs().jobs()) saves += job.kind == JobKind::Save ? 1 : 0;
        QCOMPARE(saves, 1);
    }

    void waitingForALongSaveCanBeCancelled() {
        const QString path = m_fixture->path("slow.strobe");
        beginLongSave(path);
        WindowUser user(window());
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.whenUp<QDialog>([&](QDialog& dialog) { user.click(dialog.findChild<QPushButton*>()); });
            user.press(Qt::Key_Return);
        });
        QVERIFY(!window().close());
        QVERIFY(window().isVisible());
        m_isSaveHeld = false;
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(!QFileInfo::exists(path));
        QVERIFY(window().isWindowModified());
    }

    void errorsStayUntilWhatFailedSucceeds() {
        show();
        openSample();
        JobQueue& jobs = m_fixture->session().jobs();
        const auto isHeld = std::make_shared<std::atomic<bool>>(true);
        const auto begin = [&](const char* title, JobKind kind, bool fails) {
            return jobs.submit(kind, title, [fails, isHeld](JobContext& job) {
                while (*isHeld && !job.cancelToken().isCancelled()) QThread::msleep(1);
                return fails ? invalidArgument("no room") : Status::ok();
            });
        };
        const auto shown = [&] {
            *isHeld = false;
            if (!m_fixture->waitForJobs()) return QString("still busy");
            QTest::qWait(50);
            *isHeld = true;
            return window().errorShown();
        };
        // Cancelled before what began earlier fails.
        begin("Build FP32", JobKind::Build, true);
        jobs.cancel(begin("Compare", JobKind::Compare, false));
        QTest::qWait(50);
        QCOMPARE(shown(), QString("Build FP32 failed: no room"));
        // Another kind's success, before and after, wipes nothing away.
        begin("Save", JobKind::Save, false);
        QCOMPARE(shown(), QString("Build FP32 failed: no room"));
        begin("Build BF16", JobKind::Build, false);
        QCOMPARE(shown(), QString());
    }

    void closingCanSaveFirst() {
        show();
        openSample();
        buildQuickly();
        const QString path = m_fixture->path("closed.strobe");
        WindowUser user(window());
        QElapsedTimer clock;
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.answerFileDialog(path, [&] {
                clock.start();
                user.press(Qt::Key_Return);  // Save is the default
            });
        });
        QVERIFY(window().close());
        qInfo("saved and closed within %d ms of Save", static_cast<int>(clock.elapsed()));
        QVERIFY(QFileInfo::exists(path));
    }

    void savedSessionOpensAgainWithItsBuild() {
        show();
        openSample();
        buildQuickly();
        const QString path = m_fixture->path("saved.strobe");
        m_fixture->session().saveAs(path.toStdString());
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(!window().isWindowModified());
        QVERIFY(window().windowTitle().startsWith("saved.strobe"));
        window().openPath(path);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
        QVERIFY(context().currentBuild()->profile != nullptr);
    }

    void shapesAreReadAndRefused() {
        QCOMPARE(*parseDims(QStringLiteral("1×3×640x640")), (Dims{1, 3, 640, 640}));
        QCOMPARE(*parseDims("8, 128"), (Dims{8, 128}));
        QVERIFY(!parseDims("1×N×2").hasValue());
        show();
        openSample();
        const auto wide = withShapes(*context().model(), m_fixture->session().settings(), {{"image", {16, 1, 8, 8}}});
        QCOMPARE(wide->shapes.at("image"), (Dims{16, 1, 8, 8}));
        QCOMPARE(wide->builder.profiles.front().inputs.at("image").opt.front(), int64_t{16});
    }

    void aSavedSessionIsRememberedWithFiguresAndPicture() {
        show();
        openSample();
        buildQuickly();
        waitForStage(GraphStage::Engine);
        const QString path = m_fixture->path("kept.strobe");
        m_fixture->session().saveAs(path.toStdString());
        QVERIFY(m_fixture->waitForJobs());
        const auto isComplete = [&] {
            const RecentFiles recent;
            return recent.files().size() == 2 && recent.files()[0].path == path &&
                   recent.files()[0].figures.contains(" · FP32 ") && !recent.files()[0].thumbnail().isNull();
        };
        QTRY_VERIFY(isComplete());
        // And one that is opened, without its model.
        RecentFiles().remove(path);
        RecentFiles().remove(QFileInfo(WindowFixture::samplePath()).absoluteFilePath());
        m_fixture->reopen();
        show();
        QVERIFY(context().model() != nullptr);
        window().openPath(path);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(RecentFiles().files().size() == 1 && RecentFiles().files()[0].path == path);
        QTRY_VERIFY(!RecentFiles().files()[0].thumbnail().isNull());
        QVERIFY2(RecentFiles().files()[0].figures.contains(" · FP32 "), qPrintable(RecentFiles().files()[0].figures));
    }

    void aVanishedFileSaysSoAndLeavesTheList() {
        RecentFiles().add("/no/such/vanished.onnx");
        RecentFiles().add(WindowFixture::samplePath());
        m_fixture->reopen();
        show();
        const auto rows = [&] {
            QList<QToolButton*> found;
            for (auto* row : window().startPage().findChildren<QToolButton*>("recentFile"))
                if (row->isVisible()) found << row;
            return found;
        };
        QTRY_COMPARE(rows().size(), 2);
        QToolButton* gone = rows()[0]->text() == "vanished.onnx" ? rows()[0] : rows()[1];
        const auto labels = window().startPage().findChildren<QLabel*>();
        QVERIFY(
            std::any_of(labels.begin(), labels.end(), [](const QLabel* label) { return label->text() == "missing"; }));
        // A click offers what is left to do; the keyboard removes.
        WindowUser user(window());
        user.whenMenuChoose("Remove from list");
        user.click(gone);
        QTRY_COMPARE(rows().size(), 1);
        QVERIFY(rows().front()->hasFocus());
        QTest::keyClick(rows().front(), Qt::Key_Delete);
        QTRY_COMPARE(rows().size(), 0);
        QVERIFY(RecentFiles().files().empty());
    }

    void memoryColoursTheGraphWithItsUnits() {
        show();
        openSample();
        auto& page = window().graphPage();
        window().actions()["colourMemory"].trigger();
        QCOMPARE(page.findChild<QComboBox*>("graphColours")->currentText(), QString("Memory"));
        GraphSceneRequest request{context().index(), GraphStage::Parsed, nullptr, {}};
        const auto data = std::make_shared<const GraphSceneData>(buildGraphScene(request));
        const GraphColouring colouring = colourGraph(data, GraphColour::Memory);
        QVERIFY2(colouring.legend.title.startsWith("Outputs and weights"), qPrintable(colouring.legend.title));
        QVERIFY2(colouring.legend.rampHigh.endsWith("B"), qPrintable(colouring.legend.rampHigh));
        QCOMPARE(colouring.fills.size(), data->scene->nodes.size());
    }

    void layoutIsKeptAndReset() {
        show();
        auto* dock = window().findChild<QDockWidget*>("inspectorPageDock");
        dock->hide();
        QVERIFY(window().close());
        m_fixture->reopen();
        show();
        QVERIFY(!window().findChild<QDockWidget*>("inspectorPageDock")->isVisible());
        window().actions()["resetLayout"].trigger();
        QVERIFY(window().findChild<QDockWidget*>("inspectorPageDock")->isVisible());
    }
};

QTEST_MAIN(MainWindowTest)
#include "gui_main_window_test.moc"
