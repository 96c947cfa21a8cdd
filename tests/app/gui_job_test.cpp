// The main job on a real model, done as a user does it, by mouse and keyboard alone: open ocr_det, see what became of its nodes, build it in
// two precisions, compare them, keep one layer in FP32, build again, export, and run the export with strobe-cli. Models are read to check,
// never to act.
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QProcess>
#include <QPushButton>
#include <QTest>
#include <cmath>
#include <cstring>

#include "app/cli/run_outputs.h"
#include "app/gui/page_docks.h"
#include "sessions/npz.h"
#include "tests/app/gui_support.h"
#include "tests/app/window_user.h"
#include "views/models/compare_table_model.h"
#include "views/models/display_text.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/inspector/inspector_page.h"
#include "views/pages/start/start_page.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/table_view.h"

using namespace strobe;
using strobe::testing::EventWatch;
using strobe::testing::WatchedApplication;
using strobe::testing::WindowFixture;
using strobe::testing::WindowUser;

namespace {

constexpr int kMaxEventDelayMs = 100, kMaxSaveMs = 1000;
const QString kInput = QStringLiteral("x"), kShape = QStringLiteral("1x3x640x640");

bool isBf16(const EngineLayer& layer) {
    return !layer.outputs.empty() && layer.outputs.front().type == DataType::BFloat16;
}

}  // namespace

class JobTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<WindowFixture> m_fixture;
    std::unique_ptr<WindowUser> m_user;

    MainWindow& window() { return m_fixture->window(); }
    WorkbenchContext& context() { return window().context(); }
    GraphCanvas& canvas() { return window().graphPage().canvas(); }
    Page& page(const QString& name) { return *window().docks().page(name); }
    QString inspectorText() { return static_cast<InspectorPage&>(page("inspectorPage")).details().plainText(); }

    void openModel(const QString& path) {
        m_user->answerFileDialog(path, [&] { m_user->click(window().startPage().findChild<QPushButton*>("openModel")); });
        QVERIFY(QTest::qWaitFor([&] { return context().model() && canvas().scene() && !canvas().isLayoutRunning(); }, 10000));
        QVERIFY(canvas().isVisible());
        const size_t layers = static_cast<size_t>(context().model()->parsed->layerCount());
        QCOMPARE(canvas().scene()->nodes.size(), layers + 2);  // with one input and one output
    }
    void setShape() {
        m_user->click(window().findChild<QWidget*>("shapesButton"));
        m_user->replaceText(kShape);
        m_user->press(Qt::Key_Return);
        QCOMPARE(m_fixture->session().settings().shapes.at(kInput.toStdString()), (Dims{1, 3, 640, 640}));
    }
    /// Builds by `start` and checks that the window stayed alive while it did.
    void build(const char* what, const std::function<void()>& start) {
        const auto before = context().currentBuild();
        WatchedApplication::watched()->forgetSlowest();
        EventWatch watch;
        QElapsedTimer clock;
        clock.start();
        start();
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != before; }));
        QTest::qWait(300);
        QVERIFY(canvas().waitForLayout());
        QVERIFY2(window().errorShown().isEmpty(), qPrintable(window().errorShown()));
        QVERIFY(context().currentBuild()->profile != nullptr);
        const QString figures = QStringLiteral("%1: %2 s, an event waited at most %3 ms; slowest %4")
                                    .arg(QLatin1String(what)).arg(static_cast<double>(clock.elapsed()) / 1e3, 0, 'f', 1).arg(watch.worstMs()).arg(WatchedApplication::watched()->slowest());
        qInfo("%s", qPrintable(figures));
        QVERIFY2(watch.worstMs() <= kMaxEventDelayMs, qPrintable(figures));
    }
    void showStage(Qt::Key key, GraphStage stage) {
        m_user->press(key);
        QTRY_COMPARE(window().graphPage().stage(), stage);
        QTest::qWait(100);
        QVERIFY(canvas().waitForLayout());
        QTest::qWait(300);  // the view glides to what is selected
    }
    /// Zooms until nodes are large enough to point at, then gives one on the screen that fits.
    int64_t nodeOnScreen(const std::function<bool(const GraphNode&)>& fits) {
        for (int step = 0; step < 12 && canvas().zoomFactor() < 0.6; ++step) m_user->press(Qt::Key_Up, Qt::ShiftModifier);
        for (int screen = 0; screen < 20; ++screen) {
            for (const GraphNode& node : canvas().scene()->nodes)
                if (WindowUser::isOnScreen(canvas(), node.id) && canvas().nodeRect(node.id).center().y() < canvas().height() * 0.6 && fits(node)) return node.id;
            for (int step = 0; step < 4; ++step) m_user->press(Qt::Key_Down, Qt::ControlModifier);
        }
        return -1;
    }
    void fusedLayerShowsItsNodes() {
        showStage(Qt::Key_U, GraphStage::Fused);
        const auto index = context().index();
        const auto refOf = [&](int64_t id) { return LayerRef{GraphStage::Fused, context().currentBuild()->id, static_cast<int>(id)}; };
        const int64_t fused = nodeOnScreen([&](const GraphNode& node) { return node.title.startsWith("Conv") && index->nodesOf(refOf(node.id)).size() >= 3; });
        QVERIFY(fused >= 0);
        m_user->clickNode(canvas(), fused);
        const auto nodes = index->nodesOf(refOf(fused));
        QCOMPARE(context().selection().layer, std::optional<LayerRef>(refOf(fused)));
        for (const int node : nodes) {
            const QString name = toQString(context().model()->parsed->sourceNodes()[static_cast<size_t>(node)].name);
            QVERIFY2(inspectorText().contains(name), qPrintable(name + " is not in: " + inspectorText()));
        }
        showStage(Qt::Key_P, GraphStage::Parsed);
        const auto selected = canvas().selection();
        QCOMPARE(selected.size(), index->counterparts(refOf(fused), GraphStage::Parsed).size());
        QVERIFY(selected.size() >= 3);
        QVERIFY(WindowUser::isOnScreen(canvas(), selected.front()));
    }
    void compareBuilds() {
        m_user->click(window().findChild<QWidget*>("compareButton"));
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(context().currentComparison() != nullptr);
        QWidget& compare = page("comparePage");
        QVERIFY(compare.isVisible());
        const auto* rows = compare.findChild<TableView*>("comparedRows")->model();
        QVERIFY(rows->rowCount() > 30);
        double sumA = 0, sumB = 0;
        for (int row = 0; row < rows->rowCount(); ++row) {
            sumA += rows->index(row, CompareTableModel::TimeA).data().toString().remove(',').toDouble();
            sumB += rows->index(row, CompareTableModel::TimeB).data().toString().remove(',').toDouble();
        }
        QVERIFY2(sumA > 0 && sumB > 0, qPrintable(QStringLiteral("layer times %1 and %2").arg(sumA).arg(sumB)));
        const TableView* outputs = nullptr;
        for (const auto* table : compare.findChildren<TableView*>())
            if (qobject_cast<const OutputTableModel*>(table->model())) outputs = table;
        QVERIFY(outputs && outputs->isVisible());
        QCOMPARE(outputs->model()->rowCount(), 1);
        const auto shown = [&](int column) { return outputs->model()->index(0, column).data().toString(); };
        const TensorDifference& output = context().currentComparison()->accuracy->outputs.front();
        qInfo("BF16 against FP32: SNR %s dB, largest error %s, RMS %s, cosine %s", qPrintable(shown(OutputTableModel::Snr)), qPrintable(shown(OutputTableModel::MaxAbs)),
              qPrintable(shown(OutputTableModel::Rms)), qPrintable(shown(OutputTableModel::Cosine)));
        for (const int column : {OutputTableModel::Snr, OutputTableModel::MaxAbs, OutputTableModel::Rms, OutputTableModel::Cosine}) QVERIFY(!shown(column).isEmpty());
        QVERIFY(output.snrDb > 3 && output.snrDb < 120);  // rounded to BF16, yet the same network
        QVERIFY(output.maxAbs > 0 && output.maxAbs <= 1);
        QVERIFY(output.cosine > 0.7 && output.cosine <= 1);
    }
    /// Picks a BF16 convolution in the engine graph, reads its name in the Inspector and writes a rule for it in Settings.
    QString forceLayerToFp32() {
        m_user->press(Qt::Key_1, Qt::ControlModifier);
        showStage(Qt::Key_E, GraphStage::Engine);
        const auto index = context().index();
        const int build = context().currentBuild()->id;
        const int64_t chosen = nodeOnScreen([&](const GraphNode& node) {
            const EngineLayer* layer = index->engineLayer({GraphStage::Engine, build, static_cast<int>(node.id)});
            return layer && node.title.startsWith("Conv") && isBf16(*layer);
        });
        if (chosen < 0) return {};
        m_user->clickNode(canvas(), chosen);
        const QString name = page("inspectorPage").findChild<QLabel*>("layerName")->text();
        m_user->press(Qt::Key_Comma, Qt::ControlModifier);
        QWidget& settings = page("settingsPage");
        m_user->click(settings.findChild<QPushButton*>("addRule"));
        m_user->type(name);
        m_user->press(Qt::Key_Return);
        return name;
    }
    void checkForced(const QString& name) {
        const auto build = context().currentBuild();
        int forced = 0, bf16 = 0;
        for (const EngineLayer& layer : build->engine->graph().layers) {
            if (isBf16(layer)) ++bf16;
            if (toQString(build->engine->graph().network.layer(layer.layer).name) != name) continue;
            ++forced;
            QCOMPARE(layer.inputs.front().type, DataType::Float32);
            QCOMPARE(layer.outputs.front().type, DataType::Float32);
        }
        QCOMPARE(forced, 1);
        QVERIFY(bf16 > 20);
    }
    void exportEngine(const QString& path) {
        m_user->press(Qt::Key_E, Qt::ControlModifier);
        m_user->replaceText(path);
        m_user->click(page("exportPage").findChild<QPushButton*>("exportEngine"));
        const auto* outcome = page("exportPage").findChild<QLabel*>("exportOutcome");
        QTRY_VERIFY2(outcome->text().startsWith("Wrote"), qPrintable(outcome->text()));
    }
    void exportRunsAlike(const QString& path) {
        auto [image, values] = allocateWeights(DataType::Float32, {1, 3, 640, 640});
        for (int64_t i = 0; i < image->count(); ++i) static_cast<float*>(values)[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.013));
        const NamedTensors inputs{{kInput.toStdString(), image}};
        const QString in = m_fixture->path("in.npz"), out = m_fixture->path("out.npz");
        QVERIFY(writeNpz(in.toStdString(), inputs).isOk());
        QProcess cli;
        cli.start(STROBE_CLI, {"run", "--loadEngine=" + path, "--loadInputs=" + in, "--exportOutput=" + out});
        QVERIFY(cli.waitForFinished(60000));
        QVERIFY2(cli.exitCode() == 0, cli.readAllStandardError().constData());
        const auto here = cli::runOnce(*context().currentBuild()->engine, inputs, 0);
        const auto there = readNpz(out.toStdString());
        QVERIFY(here.hasValue() && there.hasValue());
        QCOMPARE(here->size(), size_t{1});
        QCOMPARE(there->size(), size_t{1});
        const Weights& expected = *here->begin()->second;
        const Weights& got = *there->begin()->second;
        QCOMPARE(there->begin()->first, here->begin()->first);
        QCOMPARE(got.dims, (Dims{1, 1, 640, 640}));
        QCOMPARE(got.bytes, expected.bytes);
        QVERIFY(std::memcmp(got.data.get(), expected.data.get(), expected.bytes) == 0);
        const std::vector<float> map = toFloats(got);
        QVERIFY(*std::max_element(map.begin(), map.end()) > *std::min_element(map.begin(), map.end()));
    }
    /// Closes the window and answers its question with Save, while another build runs.
    void closeAndSave(const QString& path) {
        m_user->press(Qt::Key_B, Qt::ControlModifier);
        QTest::qWait(500);
        QElapsedTimer clock;
        m_user->whenUp<QMessageBox>([&](QMessageBox&) {
            m_user->answerFileDialog(path, [&] { m_user->press(Qt::Key_Return); });  // Save is the default
            clock.start();
        });
        QVERIFY(window().close());
        qInfo("saved and closed within %d ms", static_cast<int>(clock.elapsed()));
        QVERIFY(QFileInfo::exists(path));
        QVERIFY(m_fixture->session().jobs().isIdle());
        QVERIFY2(clock.elapsed() < kMaxSaveMs, qPrintable(QString::number(clock.elapsed())));
    }

private slots:
    void wholeJob() {
        STROBE_QT_NEEDS_CACHED("ocr_det.onnx");
        const QString model = testing::cachedModel("ocr_det.onnx");
        const auto step = [this](auto act) { return QTest::currentTestFailed() ? false : (act(), !QTest::currentTestFailed()); };
        m_fixture = std::make_unique<WindowFixture>();
        m_user = std::make_unique<WindowUser>(window());
        window().resize(1500, 950);
        window().show();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
        const QString engine = m_fixture->path("ocr.engine");
        QString forced;
        const bool done = step([&] { openModel(model); }) && step([&] { setShape(); }) &&
                          step([&] { build("build FP32", [&] { m_user->click(window().findChild<QWidget*>("buildButton")); }); }) && step([&] { fusedLayerShowsItsNodes(); }) &&
                          step([&] { m_user->chooseFromMenuBar("Build", "Precision BF16"); }) &&
                          step([&] { build("build BF16", [&] { m_user->press(Qt::Key_B, Qt::ControlModifier); }); }) && step([&] { compareBuilds(); }) &&
                          step([&] { forced = forceLayerToFp32(); }) && step([&] { build("build with a rule", [&] { m_user->press(Qt::Key_B, Qt::ControlModifier); }); }) &&
                          step([&] { checkForced(forced); }) && step([&] { exportEngine(engine); }) && step([&] { exportRunsAlike(engine); }) &&
                          step([&] { closeAndSave(m_fixture->path("ocr.strobe")); });
        QVERIFY(done);
    }
    void cleanup() {
        m_user.reset();
        m_fixture.reset();
    }
};

int main(int argc, char** argv) {
    WatchedApplication application(argc, argv);
    JobTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "gui_job_test.moc"
