// Every field of the settings form: what is typed is taken, checked, and undone where it stands.
#include "views/pages/settings/settings_page.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QToolButton>

#include "kernels/cpu/register.h"
#include "sessions/npz.h"
#include "tests/support/fake_device.h"
#include "tests/views/page_user.h"
#include "views/models/run_shapes.h"
#include "views/models/target_device.h"
#include "views/models/workbench_context.h"
#include "views/pages/settings/precision_control.h"
#include "views/widgets/breakable_text.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

using namespace strobe;
using namespace strobe::testing;

namespace {

/// By name; all checkboxes are alike.
constexpr const char* kFields[] = {"precisionMode",    "accuracyLimit", "rule",        "profile0.image.0",  "profile0.image.1",
                                   "profile0.image.2", "addProfile",  "optimizationLevel", "threads",
                                   "workspace",        "timingCache", "inputFile",         "seed",
                                   "duration",         "shape.image", "ConstantFolding",   "banChoice"};

/// Everything that the form shows and the user can change.
QStringList shownValues(const SettingsPage& page) {
    QStringList values;
    for (const QWidget* widget : page.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&page)) continue;
        const QString name = widget->objectName();
        if (const auto* edit = qobject_cast<const QLineEdit*>(widget)) values << name + '=' + edit->text();
        if (const auto* box = qobject_cast<const QCheckBox*>(widget))
            values << name + '=' + QString::number(box->isChecked());
        if (const auto* choice = qobject_cast<const SegmentedControl*>(widget))
            values << name + '=' + QString::number(choice->current());
        if (const auto* combo = qobject_cast<const QComboBox*>(widget)) values << name + '=' + combo->currentText();
        if (const auto* button = qobject_cast<const QToolButton*>(widget);
            button && button->text() == QStringLiteral("✕"))
            values << button->toolTip();
    }
    values.sort();
    return values;
}

}  // namespace

class SettingsPageTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        Theme::instance().install();
        registerCpuKernels(m_kernels);
        // Unlike the CPU of whatever machine this runs on.
        m_device.hasBf16 = !cpuDeviceInfo().hasBf16;
        m_device.hasFp16 = !cpuDeviceInfo().hasFp16;
        test::registerFakeDevice(
            m_kernels, "Relu", [](const Problem&) { return Support::yes(); }, m_device);
    }
    void init() {
        m_session = std::make_unique<Session>(m_kernels);
        QVERIFY(m_session->openModelNow("resources/sample/digits.onnx").isOk());
        Settings settings = m_session->settings();
        settings.builder.timingCachePath.clear();
        settings.builder.optimizationLevel = 0;
        settings.profileMs = 50;
        m_session->setSettings(settings, "test");
        m_context = std::make_unique<WorkbenchContext>(*m_session);
        m_page = std::make_unique<SettingsPage>(*m_context);
        showAt(*m_page, 600, 3000);
    }
    void cleanup() {
        m_page.reset();
        m_context.reset();
        m_session.reset();
    }

    void undoAndRedoShowInEveryField_data() {
        QTest::addColumn<QString>("field");
        for (const char* field : kFields) QTest::newRow(field) << QString(field);
    }
    void undoAndRedoShowInEveryField() {
        QFETCH(QString, field);
        const Settings before = m_session->settings();
        const QStringList shownBefore = shownValues(*m_page);
        edit(field);
        const Settings after = m_session->settings();
        QVERIFY2(!(after == before), "the field changed nothing");
        QTRY_VERIFY(shownValues(*m_page) != shownBefore);
        QTest::qWait(20);  // the session's answer may add more
        const QStringList shownAfter = shownValues(*m_page);
        // The keyboard stays where it was: ↶ takes none.
        QTest::mouseClick(&child<QToolButton>(*m_page, "undoSettings"), Qt::LeftButton);
        QVERIFY(m_session->settings() == before);
        QTRY_COMPARE(shownValues(*m_page), shownBefore);
        QTest::mouseClick(&child<QToolButton>(*m_page, "redoSettings"), Qt::LeftButton);
        QVERIFY(m_session->settings() == after);
        QTRY_COMPARE(shownValues(*m_page), shownAfter);
    }
    void noFieldIsLeftOutAbove() {
        QSet<QString> walked;
        for (const char* field : kFields) walked.insert(field);
        for (const QWidget* widget : m_page->findChildren<QWidget*>()) {
            const bool isField = qobject_cast<const QLineEdit*>(widget) ||
                                 qobject_cast<const SegmentedControl*>(widget) ||
                                 qobject_cast<const QAbstractSpinBox*>(widget);
            if (!isField || widget->objectName().startsWith("qt_") ||
                qobject_cast<const QComboBox*>(widget->parentWidget()))
                continue;
            QVERIFY2(walked.contains(widget->objectName()), qPrintable("not walked over: " + widget->objectName()));
        }
    }

    void anUndoneRuleDoesNotComeBackWithAnother() {
        edit("rule");
        QTRY_COMPARE(m_session->settings().builder.precisionRules.size(), size_t{1});
        QTest::mouseClick(&child<QToolButton>(*m_page, "undoSettings"), Qt::LeftButton);
        QVERIFY(m_session->settings().builder.precisionRules.empty());
        QCoreApplication::processEvents();
        QTest::mouseClick(&child<QPushButton>(*m_page, "addRule"), Qt::LeftButton);
        typeInto(*qobject_cast<QLineEdit*>(m_page->focusWidget()), "op:Gemm");
        QCOMPARE(m_session->settings().builder.precisionRules,
                 (std::vector<PrecisionRule>{{"op:Gemm", DataType::Float32}}));
    }

    void aShapeToProfileAtWidensTheProfileSoThatItCanBeBuilt() {
        typeInto(child<QLineEdit>(*m_page, "shape.image"), "8x1x8x8");
        QCOMPARE(m_session->settings().shapes.at("image"), (Dims{8, 1, 8, 8}));
        const auto built = m_session->buildNow(true, {});
        QVERIFY2(built.hasValue(), built.status().message().c_str());
        QCOMPARE((*built)->profile->shapes.at("image"), (Dims{8, 1, 8, 8}));
    }
    void aShapeThatTheModelCannotTakeIsRefused() {
        const Settings before = m_session->settings();
        typeInto(child<QLineEdit>(*m_page, "shape.image"), "8x1x9x8");
        QVERIFY2(unbroken(child<QLabel>(*m_page, "runError").text()).contains("fixes it to 8"),
                 qPrintable(unbroken(child<QLabel>(*m_page, "runError").text())));
        QVERIFY(m_session->settings() == before);
    }
    void inputDataIsCheckedWhenItIsChosen() {
        QTemporaryDir folder;
        const auto error = [&] { return unbroken(child<QLabel>(*m_page, "fileError").text()); };
        const auto choose = [&](const char* name, const std::map<std::string, WeightsPtr>& arrays) {
            const QString path = folder.filePath(name);
            QVERIFY(writeNpz(path.toStdString(), arrays).isOk());
            typeInto(child<QLineEdit>(*m_page, "inputFile"), path);
        };
        QCOMPARE(error(), QString());
        choose("named.npz", {{"picture", makeFloatWeights({1}, std::vector<float>(1))}});
        QTRY_VERIFY2(error().contains("none of which is an input of the model (image)"), qPrintable(error()));
        choose("good.npz", {{"image", makeFloatWeights({1, 1, 8, 8}, std::vector<float>(64))}});
        QTRY_COMPARE(error(), QString());
        choose("shaped.npz", {{"image", makeFloatWeights({1, 1, 9, 9}, std::vector<float>(81))}});
        QTRY_VERIFY2(error().contains("is [1,1,9,9], the model takes"), qPrintable(error()));
        const std::string shaped = m_session->settings().inputFile;
        typeInto(child<QLineEdit>(*m_page, "inputFile"), "resources/sample/digits.onnx");
        QVERIFY2(error().contains("write name:file.npy or give one .npz"), qPrintable(error()));
        QCOMPARE(m_session->settings().inputFile, shaped);
        QVERIFY(QFile::copy("resources/sample/digits.onnx", folder.filePath("model.npz")));
        typeInto(child<QLineEdit>(*m_page, "inputFile"), folder.filePath("model.npz"));
        QTRY_VERIFY2(error().contains("is not an .npz archive"), qPrintable(error()));
        // Mended under the same name, and said once more.
        QVERIFY(writeNpz(folder.filePath("model.npz").toStdString(), {{"image", makeFloatWeights({1, 1, 8, 8}, std::vector<float>(64))}}).isOk());
        typeInto(child<QLineEdit>(*m_page, "inputFile"), folder.filePath("model.npz"));
        QTRY_COMPARE(error(), QString());
        QCOMPARE(QFile::remove(folder.filePath("model.npz")) && QFile::copy("resources/sample/digits.onnx", folder.filePath("model.npz")), true);
        typeInto(child<QLineEdit>(*m_page, "inputFile"), folder.filePath("model.npz"));
        QTRY_VERIFY2(error().contains("is not an .npz archive"), qPrintable(error()));
        m_session->undo();
        QTRY_VERIFY2(error().contains("is [1,1,9,9]"), qPrintable(error()));
    }
    void chosenDataGivesTheShapesThatNobodySaid() {
        QTemporaryDir folder;
        const QString path = folder.filePath("image.npy");
        QByteArray header("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 1, 8, 8), }");
        header = header.leftJustified(117, ' ') + '\n';  // 128 bytes with what stands before
        QFile npy(path);
        QVERIFY(npy.open(QFile::WriteOnly));
        npy.write(QByteArray("\x93NUMPY\x01\x00\x76\x00", 10) + header + QByteArray(5 * 64 * 4, '\0'));
        npy.close();
        auto& file = child<QLineEdit>(*m_page, "inputFile");
        typeInto(file, "image:" + path);
        const std::map<std::string, Dims> five{{"image", {5, 1, 8, 8}}};
        QTRY_COMPARE(effectiveShapes(*m_session->model(), m_session->settings()), five);
        // A choice of their own is the user's.
        typeInto(child<QLineEdit>(*m_page, "shape.image"), "2x1x8x8");
        const Settings said = m_session->settings();
        typeInto(file, "image:" + folder.filePath("./image.npy"));
        QTest::qWait(200);
        QVERIFY(m_session->settings().shapes == said.shapes && m_session->settings().builder == said.builder);
    }
    void aLimitBeyondTheRangeBecomesTheNearest() {
        auto& limit = child<QDoubleSpinBox>(*m_page, "accuracyLimit");
        const auto type = [&](const char* text) {
            limit.setFocus();
            limit.selectAll();
            QTest::keyClicks(&limit, text);
            QTest::keyClick(&limit, Qt::Key_Return);
            return m_session->settings().accuracyLimit;
        };
        QCOMPARE(type("0.0001"), 1e-5);
        QCOMPARE(type("200"), 1.0);
        QCOMPARE(type("2.5"), 0.025);
        QCOMPARE(type("0"), 0.0);
        QCOMPARE(limit.text(), QString("none"));
    }
    void aProfileThatAllowsTheShapesStaysAsItIs() {
        Settings settings = m_session->settings();
        settings.builder.profiles = {{{{"image", {{1, 1, 8, 8}, {2, 1, 8, 8}, {4, 1, 8, 8}}}}},
                                     {{{"image", {{1, 1, 8, 8}, {16, 1, 8, 8}, {32, 1, 8, 8}}}}}};
        const Model& model = *m_session->model();
        QVERIFY(withShapes(model, settings, {{"image", {24, 1, 8, 8}}})->builder.profiles == settings.builder.profiles);
        const auto wide = withShapes(model, settings, {{"image", {64, 1, 8, 8}}});
        QCOMPARE(wide->builder.profiles[0].inputs.at("image").max[0], int64_t{64});
        QCOMPARE(wide->builder.profiles[0].inputs.at("image").min[0], int64_t{1});
        QVERIFY(wide->builder.profiles[1] == settings.builder.profiles[1]);
    }

    void precisionsFollowTheTarget() {
        auto& control = child<PrecisionControl>(*m_page, "precisionMode");
        QCOMPARE(control.isHatched(2), !cpuDeviceInfo().hasFp16);
        Settings settings = m_session->settings();
        settings.builder.device = "cuda:0";
        m_session->setSettings(settings, "target");
        QTRY_COMPARE(control.isHatched(2), cpuDeviceInfo().hasFp16);
        QCOMPARE(control.isHatched(1), cpuDeviceInfo().hasBf16);
        QCOMPARE(control.segmentToolTip(2).startsWith("This device has no FP16"), cpuDeviceInfo().hasFp16);
        QCOMPARE(deviceText(deviceOf(*m_session, settings), 2), QString("CUDA:0: a fake device"));
        settings.builder.device = "cuda:7";
        QCOMPARE(deviceText(deviceOf(*m_session, settings), 2), QString("CUDA:7: not on this machine"));
        settings.builder.device = "cpu";
        QVERIFY(deviceText(deviceOf(*m_session, settings), 2).endsWith(", 2 threads"));
    }

    void theQuestionIsReadWholeInANarrowDock() {
        m_page->setTitleShown(true);
        std::unique_ptr<QWidget> header(m_page->takeHeader());
        header->setParent(nullptr);
        showAt(*header, m_page->minimumSizeHint().width(), header->sizeHint().height());
        ElidedLabel* question = nullptr;
        for (auto* label : header->findChildren<ElidedLabel*>())
            if (label->text() == "What may I change?") question = label;
        QVERIFY(question != nullptr);
        QVERIFY2(!question->isElided(), qPrintable(QString::number(question->width())));
    }

private:
    /// Changes the field as its kind is changed.
    void edit(const QString& field) {
        const QByteArray name = field.toLatin1();
        if (field == "rule") {
            QTest::mouseClick(&child<QPushButton>(*m_page, "addRule"), Qt::LeftButton);
            return typeInto(*qobject_cast<QLineEdit*>(m_page->focusWidget()), "op:Conv");
        }
        if (field == "banChoice") return typeInto(*child<QComboBox>(*m_page, "banChoice").lineEdit(), "onednn.conv");
        auto* widget = m_page->findChild<QWidget*>(field);
        QVERIFY2(widget != nullptr, name);
        widget->setFocus();
        if (auto* control = qobject_cast<SegmentedControl*>(widget)) return clickSegment(*control, 1);
        if (auto* box = qobject_cast<QCheckBox*>(widget))
            return QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
        if (auto* button = qobject_cast<QPushButton*>(widget)) return QTest::mouseClick(button, Qt::LeftButton);
        if (qobject_cast<QAbstractSpinBox*>(widget)) return QTest::keyClick(widget, Qt::Key_Up);
        auto* line = qobject_cast<QLineEdit*>(widget);
        if (field.startsWith("profile0")) return typeInto(*line, field.endsWith('2') ? "4x1x8x8" : "1x1x8x8");
        typeInto(*line, field == "inputFile"     ? "./resources/sample/digits_heldout.npz"
                        : field == "shape.image" ? "8x1x8x8"
                                                 : "/tmp/some.timing");
    }

    KernelRegistry m_kernels;
    test::FakeDeviceScript m_device;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<WorkbenchContext> m_context;
    std::unique_ptr<SettingsPage> m_page;
};

QTEST_MAIN(SettingsPageTest)
#include "settings_page_test.moc"
